"""Measure how far word times and confidences can be trusted, and correct them by `calibration.json`."""
