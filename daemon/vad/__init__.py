"""Voice activity detectors, which decide whether a frame is speech, behind one small interface."""

from asrd.daemon.vad.base import Vad
from asrd.daemon.vad.registry import create
from asrd.daemon.vad.webrtc import WebRtcVad

__all__ = ["Vad", "WebRtcVad", "create"]
