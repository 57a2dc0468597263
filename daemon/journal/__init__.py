"""The journal: what was said and what happened, kept on disk over crashes and restarts."""
