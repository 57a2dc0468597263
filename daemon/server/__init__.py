"""The daemon: its requests, its events and its state."""
