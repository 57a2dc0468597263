"""Read the format in which PocketSphinx ships its language model."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from asrd.core.errors import ModelError
from asrd.training.language_model.trigram import Ids, Trigram

MAGIC = b"Trie Language Model"
LOG = np.log(1.0001)
"""PocketSphinx's unit of log-probability, in nats."""

QUANTA = 1 << 16


def read(path: Path) -> Trigram:
    """Read a PocketSphinx trigram. Raises ModelError for anything else."""
    data = path.read_bytes()
    if not data.startswith(MAGIC) or data[len(MAGIC)] != 3:
        raise ModelError(f"{path} is not a trigram of PocketSphinx's; its wheel has one at model/en-us/en-us.lm.bin")
    at = len(MAGIC) + 1
    count1, _, count3, _ = (int(number) for number in np.frombuffer(data, "<u4", 4, at))
    tables = np.frombuffer(data, "<f4", 3 * QUANTA, at + 16).reshape(3, QUANTA) * LOG
    at += 16 + tables.size * 4
    unigrams = np.frombuffer(data, np.dtype([("p", "<f4"), ("b", "<f4"), ("next", "<u4")]), count1 + 1, at)
    at += unigrams.nbytes
    count2 = int(unigrams["next"][-1])  # fewer than the header says: the rest are unreachable
    declared2 = int(np.frombuffer(data, "<u4", 1, len(MAGIC) + 5)[0])

    word, link = count1.bit_length(), count3.bit_length()
    rows = _Bits(data, at, word + 32 + link, count2)
    before, backoff, prob = rows.field(0, word), rows.field(word, 16), rows.field(word + 16, 16)
    links = np.append(rows.field(word + 32, link), count3)
    at += ((declared2 + 1) * (word + 32 + link) + 7) // 8 + 8
    last = _Bits(data, at, word + 16, count3)
    at += ((count3 + 1) * (word + 16) + 7) // 8 + 8

    first: Ids = np.repeat(np.arange(count1), np.diff(unigrams["next"]).astype(np.int64))
    bigrams = np.stack([first, before], axis=1)
    trigrams = np.column_stack([np.repeat(bigrams, np.diff(links).astype(np.int64), axis=0), last.field(0, word)])
    return Trigram(
        words=data[at + 4 :].decode().split("\0")[:count1],
        p1=unigrams["p"][:-1] * LOG,
        b1=unigrams["b"][:-1] * LOG,
        bigrams=bigrams,
        p2=tables[0, prob].astype(np.float64),
        b2=tables[1, backoff].astype(np.float64),
        trigrams=trigrams,
        p3=tables[2, last.field(word, 16)].astype(np.float64),
    )


@dataclass(frozen=True)
class _Bits:
    """Records of a fixed number of bits, lowest bits first, without padding."""

    data: bytes
    start: int
    size: int
    count: int

    def field(self, offset: int, width: int) -> Ids:
        """Return one field of every record."""
        bits = np.arange(self.count, dtype=np.int64) * self.size + offset
        array = np.frombuffer(self.data, np.uint8)[self.start :]
        value = np.zeros(self.count, np.int64)
        for byte in range(5):
            value |= array[(bits >> 3) + byte].astype(np.int64) << (8 * byte)
        return (value >> (bits & 7)) & ((1 << width) - 1)
