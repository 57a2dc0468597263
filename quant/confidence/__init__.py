"""How far word times and confidences can be trusted, and `calibration.json`, which makes them so."""
