"""One stream, from its source to its events."""
