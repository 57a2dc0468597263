"""Offline tools that build the INT8 model and measure what it costs."""
