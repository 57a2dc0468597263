"""ZeroMQ sockets, and who may use them."""
