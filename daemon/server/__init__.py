"""The running daemon: requests, events and state."""
