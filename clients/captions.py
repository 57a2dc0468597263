"""Subtitles: SubRip (SRT) and WebVTT cues."""

from asrd.core.units import seconds

WEBVTT_HEADER = "WEBVTT\n"


def srt_cue(number: int, start: int, end: int, text: str) -> str:
    """A SubRip cue. number: from 1. start, end: samples."""
    return f"{number}\n{_stamp(start, ',')} --> {_stamp(end, ',')}\n{text}\n"


def vtt_cue(start: int, end: int, text: str) -> str:
    """A WebVTT cue. start, end: samples."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"{_stamp(start, '.')} --> {_stamp(end, '.')}\n{escaped}\n"


def _stamp(position: int, point: str) -> str:
    """Hours:minutes:seconds and milliseconds, as both formats write them but for the point."""
    milliseconds = round(seconds(position) * 1000)
    whole, rest = divmod(milliseconds, 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{rest:03}"
