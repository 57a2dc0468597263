"""Dictation: what is heard, typed into the window that has the focus, with spoken punctuation and commands."""
