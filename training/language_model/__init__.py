"""Build the bundled language model."""
