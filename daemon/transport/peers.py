"""What libzmq tells of the sender of a message."""

import zmq


def user(frame: zmq.Frame) -> str:
    """Return whom `Guard` admitted: the public key, in Z85; "" for a connection that needed no key."""
    try:
        return str(frame.get("User-Id"))
    except zmq.ZMQError:
        return ""


def descriptor(frame: zmq.Frame) -> int:
    """Return the connection that a message came from; -1 for one that has ended."""
    try:
        return int(frame.get(zmq.SRCFD))
    except zmq.ZMQError:
        return -1
