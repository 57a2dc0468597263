"""How the bundled language model is made."""
