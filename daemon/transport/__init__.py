"""ZeroMQ sockets, and access to them."""
