"""From windows to text: what comes after the logits, for all backends."""
