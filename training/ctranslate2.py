"""Read the weights of a CTranslate2 model (`model.bin`), without CTranslate2.

The layout is that of its `src/models/model.cc`: a header, and then one record for each variable. All numbers are
little-endian. A string is its length with the final NUL (2 bytes), and its bytes.
"""

import struct
from pathlib import Path

import numpy as np

from asrd.core.errors import ModelError

_TYPES = (np.float32, np.int8, np.int16, np.int32, np.float16)
"""The types of variables, by their number in the file."""

_OLDEST = 4
"""The oldest binary version whose records name their type."""


def read(path: Path) -> dict[str, np.ndarray]:
    """Read all variables of a `model.bin` by name, such as `encoder/conv1/weight`. 8-bit weights are scaled back to
    float32.

    Raises ModelError where the file cannot be read or is not of this form.
    """
    try:
        content = path.read_bytes()
        variables = _variables(content)
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); give a CTranslate2 model") from error
    except (struct.error, ValueError, IndexError) as error:
        raise ModelError(f"{path} is not a CTranslate2 model of binary version {_OLDEST} or newer") from error
    return {
        name: _scaled(value, variables[f"{name}_scale"]) if f"{name}_scale" in variables else value
        for name, value in variables.items()
    }


class _Reader:
    """Reads one value after another from the bytes of a file."""

    def __init__(self, content: bytes) -> None:
        self._content, self._at = content, 0

    def number(self, kind: str) -> int:
        """Read an unsigned number. kind: `struct`'s B, H or I."""
        (value,) = struct.unpack_from(f"<{kind}", self._content, self._at)
        self._at += struct.calcsize(f"<{kind}")
        return int(value)

    def text(self) -> str:
        """Read a string, without its final NUL."""
        return self.raw(self.number("H"))[:-1].decode()

    def raw(self, size: int) -> bytes:
        """Read the next `size` bytes. Raises ValueError where there are fewer."""
        part = self._content[self._at : self._at + size]
        if len(part) != size:
            raise ValueError("the file ends early")
        self._at += size
        return part


def _variables(content: bytes) -> dict[str, np.ndarray]:
    reader = _Reader(content)
    if reader.number("I") < _OLDEST:
        raise ValueError("too old")
    reader.text(), reader.number("I")  # the name and the revision of the specification
    found = {}
    for _ in range(reader.number("I")):
        name = reader.text()
        shape = [reader.number("I") for _ in range(reader.number("B"))]
        kind = reader.number("B")
        raw = reader.raw(reader.number("I"))
        if kind < len(_TYPES):  # bfloat16, which numpy lacks, is left out
            found[name] = np.frombuffer(raw, _TYPES[kind]).reshape(shape)
    return found


def _scaled(weight: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Undo the quantization of rows: CTranslate2 stores `round(weight · scale)`, with a scale for each row."""
    restored: np.ndarray = weight.astype(np.float32) / scale.reshape(-1, *[1] * (weight.ndim - 1))
    return restored
