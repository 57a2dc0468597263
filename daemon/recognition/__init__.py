"""Turn windows into text: everything after the logits, for all backends."""
