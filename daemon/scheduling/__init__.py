"""Decide which window is recognised next, and by which backend."""
