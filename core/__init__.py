"""The words every asrd package speaks: units, errors, the data that flows, the events.

This package imports nothing else of asrd, and of other distributions only numpy, msgspec and platformdirs,
so that a client may depend on it without pulling in the daemon.
"""
