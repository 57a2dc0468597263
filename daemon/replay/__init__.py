"""Replay recordings, and transcribe them again."""
