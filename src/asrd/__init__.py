"""asrd, a streaming transcription daemon.

The packages lie at the top of the repository; the links in this folder give them the names they are imported by.
"""
