"""Client library: subscribe to transcripts, control a daemon, send it audio."""
