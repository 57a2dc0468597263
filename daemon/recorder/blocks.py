r"""The file of a recording: blocks of records, each of them complete or absent.

    "asrd recording 2\n", then blocks: sizes of records and audio, CRC-32 of both, records, audio

If a process dies, or a disk is full, only the block being written is lost: the file then ends within a block. A
complete block that is not what was written is damage. The number is the format's version: a recording of another
version is refused, and so is one that claims this version but holds something else.
"""

import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import msgspec
import numpy as np

from asrd.core.errors import AsrdError, UsageError
from asrd.core.units import seconds
from asrd.daemon import packing
from asrd.daemon.recorder.records import FORMAT, AnyRecord, Captured

MAGIC = b"asrd recording %d\n" % FORMAT
ANY_MAGIC = re.compile(rb"asrd recording (\d+)\n?")
LONGEST = 32
"""Bytes of the first line that are read."""

HEAD = struct.Struct("<III")
MOST = 1 << 28
"""Maximum size that a block may declare, in bytes, against malicious files."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[AnyRecord])


class DamagedError(AsrdError):
    """The rest of a file is not what was written."""


def pack(records: Sequence[AnyRecord]) -> bytes:
    """Return a block of these records."""
    pieces = [record.pcm for record in records if isinstance(record, Captured)]
    bare = [msgspec.structs.replace(item, pcm=b"") if isinstance(item, Captured) else item for item in records]
    said = zlib.compress(_encoder.encode(bare), 1)
    heard = packing.pack(np.frombuffer(b"".join(pieces), "<f4")) if pieces else b""
    return HEAD.pack(len(said), len(heard), zlib.crc32(heard, zlib.crc32(said))) + said + heard


def read(path: Path, *, with_audio: bool = True) -> Iterator[AnyRecord]:
    """Yield all records up to the end of the file, or to where it breaks off. Without audio, `pcm` is empty.

    Raises AsrdError if the file cannot be read at all or has another format, UsageError if there is no file, or it is
    not a recording; and DamagedError after the intact records if what follows is damaged.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise UsageError(f"there is no recording {path}; check the path") from error
    except OSError as error:
        raise AsrdError(f"{path} cannot be read: {error.strerror}") from error
    with file:
        _check(path, file.readline(LONGEST))
        heard = 0
        try:
            while (block := _block(file)) is not None:
                for record in _unpack(*block) if with_audio else _records(block[0]):
                    heard += record.samples if isinstance(record, Captured) else 0
                    yield record
        except DamagedError as error:
            raise DamagedError(
                f"{path} is damaged after {seconds(heard):.1f} s of audio, and the rest of it left out; copy it again"
            ) from error
        except msgspec.DecodeError as error:
            raise AsrdError(
                f"{path} does not hold what format {FORMAT} does ({error}); replay it with the asrd that made it"
            ) from error


def _check(path: Path, magic: bytes) -> None:
    """Raise AsrdError or UsageError for a file that does not begin like one of this format. It may break off there."""
    if MAGIC.startswith(magic):
        return
    if not (other := ANY_MAGIC.fullmatch(magic)):
        raise UsageError(f"{path} is no recording of asrd's")
    remedy = "upgrade asrd to replay it" if int(other[1]) > FORMAT else "replay it with the asrd that made it"
    raise AsrdError(f"{path} has format {int(other[1])}, this asrd reads format {FORMAT}; {remedy}")


def _block(file: IO[bytes]) -> tuple[bytes, bytes] | None:
    """Return the two parts of the next block; None at the end of the file. Raises DamagedError if they are not as
    written.
    """
    head = file.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    said, heard, check = HEAD.unpack(head)
    if not 0 < said <= MOST - heard:
        raise DamagedError
    body = file.read(said + heard)
    if len(body) < said + heard:
        return None
    if zlib.crc32(body) != check:
        raise DamagedError
    return body[:said], body[said:]


def _records(said: bytes) -> list[AnyRecord]:
    """Decode records. Raises msgspec.DecodeError for records of another format, DamagedError if they cannot be
    unpacked.
    """
    try:
        return _decoder.decode(zlib.decompressobj().decompress(said, MOST))
    except zlib.error as error:
        raise DamagedError from error


def _unpack(said: bytes, heard: bytes) -> Iterator[AnyRecord]:
    records = _records(said)
    samples = sum(record.samples for record in records if isinstance(record, Captured))
    pcm = packing.unpack(heard, samples) if samples else np.zeros(0, np.float32)
    position = 0
    for record in records:
        if isinstance(record, Captured):
            piece = pcm[position : position + record.samples]
            position += record.samples
            yield msgspec.structs.replace(record, pcm=piece.tobytes())
        else:
            yield record
