"""Turn audio into windows: decide where utterances start and end, and cut them."""
