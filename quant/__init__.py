"""Builds the INT8 model offline, and measures what it costs in accuracy."""
