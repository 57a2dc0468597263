"""The flight recorder: records the daemon's input and output, so that a run can be replayed.

Everything that determines a stream's events reaches it in an order set by the event loop: audio, answers of the
backend, windows taken up, settings. A *tape* records that order, together with the resulting events. A replay runs
the same code in the same order, with the recording's clock, and compares the new events with the recorded ones.
"""
