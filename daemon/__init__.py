"""The daemon: from audio to published transcripts."""
