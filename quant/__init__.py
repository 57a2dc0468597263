"""Build INT8 models offline, and measure what they cost in accuracy."""
