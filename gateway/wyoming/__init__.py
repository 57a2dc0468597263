"""Wyoming, the protocol of Home Assistant's voice assistants: JSON lines and audio over TCP."""
