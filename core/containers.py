"""Tell files of audio by their first bytes."""

HEAD = 4096
"""Bytes that suffice to tell."""

_BEGINNINGS = {
    b"RIFF": "a WAV file",
    b"RF64": "a WAV file",
    b"RIFX": "a WAV file",
    b"riff\x2e\x91\xcf\x11": "a W64 file",
    b"fLaC": "a FLAC file",
    b"FORM": "an AIFF file",
    b"caff": "a CAF file",
    b".snd": "an AU file",
    b"OggS": "an Ogg file",
    b"ID3": "an MP3 file",
    b"\x1aE\xdf\xa3": "a Matroska or WebM file",
    b"#!AMR": "an AMR file",
    b"0&\xb2u\x8ef\xcf\x11": "a WMA file",
    b"FLV\x01": "an FLV file",
}


def container(head: bytes) -> str | None:
    """Return what a file is, with its article, given its first bytes; None if they say nothing."""
    if head[4:8] == b"ftyp":
        return "an MP4 file"
    return next((name for mark, name in _BEGINNINGS.items() if head.startswith(mark)), None)
