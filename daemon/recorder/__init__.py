"""The flight recorder: keeps what the daemon heard and said, so that it can be heard and said again.

Everything that decides a stream's events reaches it in an order that the event loop makes: audio,
answers of the backend, windows taken up, settings. A *tape* writes that order down, together with
the events that came of it. A replay puts the same code through the same order, with the
recording's own clock, and compares what it says now with what was said then.
"""
