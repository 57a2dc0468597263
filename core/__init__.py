"""Basics that all asrd packages share: units, errors, data types, events and addresses.

This package imports no other part of asrd and, from other distributions, only numpy, msgspec and platformdirs (pyzmq
to make a key), so that a client can depend on it without pulling in the daemon.
"""
