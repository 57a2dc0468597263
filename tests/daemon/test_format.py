"""A recording has one format; any other is refused in one line that says what to do."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from msgspec import inspect

from asrd.backends import LoadOptions
from asrd.cli.main import asrd
from asrd.core.errors import AsrdError
from asrd.core.units import Samples
from asrd.core.writing.style import Style
from asrd.daemon.options import RecognitionOptions
from asrd.daemon.recognition.decoding import DecoderOptions
from asrd.daemon.recorder import blocks
from asrd.daemon.recorder.form import RecordedOptions
from asrd.daemon.recorder.records import FORMAT, AnyRecord, Begin, Closed
from asrd.daemon.segmentation.segmenter import Segmenter
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.stream.state import RecordedSettings, StreamState

from .marked import STANDARD, MarkedVad

SETTINGS = RecordedSettings.of(SegmenterSettings())
STATE = StreamState(0, 0.0, SETTINGS, Segmenter(MarkedVad(), STANDARD).state(), begins=True)
BEGIN = Begin("1", "d0", "a", True, 0, 1e9, True, STATE, RecordedOptions.of(RecognitionOptions()), "", {}, {})

SEGMENTATION = {
    "window": "int",
    "hop": "int",
    "right_context": "int",
    "min_speech": "int",
    "pre_roll": "int",
    "hangover": "int",
    "min_hangover": "int",
    "max_hangover": "int",
    "tail": "int",
    "max_utterance": "int",
    "partial_interval": "int",
}
LAYOUT = {
    "begin": [
        *["str", "str", "str", "bool", "int", "float", "bool"],
        {
            "position": "int",
            "captured": "float",
            "settings": SEGMENTATION,
            "segmenter": {
                "pauses": {"longer": ["float"], "speech": "float", "new": "int"},
                "segment": {
                    "origin": "int",
                    "position": "int",
                    "closed": "int",
                    "silent_from": "int",
                    "number": "int",
                    "history": {"start": "int", "samples": "int", "pcm": "bytes"},
                    "endpointer": {"recent": ["bool"]},
                },
            },
            "begins": "bool",
        },
        {
            "backend": "str",
            "model": "str",
            "load": {
                "device": "str",
                "threads": "int",
                "cache": "bool",
                "arithmetic": "str",
                **dict.fromkeys(("model_server", "model_server_token", "model_server_ca"), "str"),
            },
            "vad": "str",
            "segmenter": SEGMENTATION,
            "decoding": {
                "decoder": "str",
                "lm": "str",
                "beam_width": "int",
                "lm_weight": "float",
                "word_bonus": "float",
                "blank_penalty": "float",
                "unknown_penalty": "float",
            },
            "style": {
                "raw": "bool",
                "numbers": "bool",
                "pause": "int",
                "spellings": ["str"],
                "language": "str",
                "capitals": "bool",
            },
        },
        *["str", {"any": "str"}, {"any": "str"}],
    ],
    "heard": ["int", "int", "float", "int", "str", "bytes"],
    "judged": ["str"],
    "queued": [],
    "answered": ["int", "str", "float", "float", "float", "str", "int", "int", {"any": "float"}],
    "used": [SEGMENTATION],
    "said": ["bytes"],
    "ended": ["str"],
    "abandoned": ["float", "str"],
    "closed": [],
}
"""Fields of each record of format 3, by its tag; for one that may be None, the type that it has otherwise."""


def layout(kind: inspect.Type) -> Any:
    """Describe a type as it is stored in a recording."""
    match kind:
        case inspect.UnionType(types=kinds):
            some = [layout(one) for one in kinds if not isinstance(one, inspect.NoneType)]
            return some[0] if len(some) == 1 else {tag: rest for tag, *rest in some}
        case inspect.StructType(array_like=True):
            return [kind.tag, *(layout(field.type) for field in kind.fields)]
        case inspect.StructType():
            return {field.encode_name: layout(field.type) for field in kind.fields}
        case inspect.ListType() | inspect.VarTupleType():
            return [layout(kind.item_type)]
        case inspect.DictType():
            return {"any": layout(kind.value_type)}
    return type(kind).__name__.removesuffix("Type").lower()


def test_another_layout_is_another_format() -> None:
    changed = "raise FORMAT, and write down here what a recording now holds"
    assert (FORMAT, layout(inspect.type_info(AnyRecord))) == (4, LAYOUT), changed


def kinds(kind: inspect.Type) -> Iterator[inspect.StructType]:
    """Return all structs in a type."""
    if isinstance(kind, inspect.StructType):
        yield kind
    below = [field.type for field in kind.fields] if isinstance(kind, inspect.StructType) else []
    for one in [*below, *getattr(kind, "types", ())]:
        yield from kinds(one)


def test_nothing_is_filled_in_or_passed_over() -> None:
    for kind in kinds(inspect.type_info(AnyRecord)):
        assert kind.forbid_unknown_fields, kind.cls
        assert all(field.required for field in kind.fields), kind.cls


def leaves(value: Any) -> list[Any]:
    return [leaf for item in value.values() for leaf in leaves(item)] if isinstance(value, dict) else [value]


def test_all_options_come_back() -> None:
    settings = {name: Samples(value - 1) for name, value in asdict(SegmenterSettings()).items()}
    options = RecognitionOptions(
        backend="fp16",
        model="other",
        load=LoadOptions("GPU", 3, False, "bf16", "http://a", "token", "ca"),
        vad="energy:9",
        segmenter=SegmenterSettings(**settings),
        decoding=DecoderOptions("none", "other", 7, 1.0, 2.0, 3.0, 4.0),
        style=Style(raw=True, numbers=True, pause=Samples(1), spellings=("New York",), language="de", capitals=False),
    )
    pairs = zip(leaves(asdict(options)), leaves(asdict(RecognitionOptions())), strict=True)
    assert all(one != default for one, default in pairs), "an option that this test leaves as it is by default"
    recorded = msgspec.msgpack.encode(RecordedOptions.of(options))
    assert msgspec.msgpack.decode(recorded, type=RecordedOptions).restored() == options


def plain(*records: Any) -> list[Any]:
    """Return records as they are before they are packed."""
    found: list[Any] = msgspec.msgpack.decode(msgspec.msgpack.encode(records))
    return found


def write(path: Path, magic: bytes, records: list[Any]) -> Path:
    """Write a file that begins with `magic` and holds one block of these records."""
    said = zlib.compress(msgspec.msgpack.encode(records))
    path.write_bytes(magic + blocks.HEAD.pack(len(said), 0, zlib.crc32(said)) + said)
    return path


def refusal(path: Path) -> str:
    """Return the error with which `asrd replay` refuses a file, the same for every way of asking."""
    told = set()
    for more in ([], ["--list"], ["--text"], ["--export", f"{path}.new", "--utterance", "0"]):
        error = CliRunner().invoke(asrd, ["replay", str(path), *more]).exception
        assert isinstance(error, AsrdError), error
        assert error.exit_code == 1
        told.add(str(error))
    [message] = told
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("version", "remedy"),
    [
        (FORMAT - 1, "replay it with the asrd that made it"),
        (FORMAT + 1, "upgrade asrd to replay it"),
        (10 * FORMAT, "upgrade asrd to replay it"),
    ],
)
def test_a_recording_of_another_format_is_refused(tmp_path: Path, version: int, remedy: str) -> None:
    path = write(tmp_path / "x.asrd", b"asrd recording %d\n" % version, plain(BEGIN, Closed()))
    assert refusal(path) == f"{path} has format {version}, this asrd reads format {FORMAT}; {remedy}"


def test_one_file_of_another_format_has_the_whole_directory_refused(tmp_path: Path) -> None:
    name = "20260101T00000000{}Z-d0-a-00000{}.asrd"
    old = write(tmp_path / name.format(0, 0), b"asrd recording 1\n", plain(BEGIN, Closed()))
    write(tmp_path / name.format(1, 1), blocks.MAGIC, plain(BEGIN, Closed()))
    error = CliRunner().invoke(asrd, ["replay", str(tmp_path)]).exception
    assert str(error).startswith(f"{old} has format 1, ")


def too_much(begin: list[Any]) -> None:
    begin.append("more")


def too_little(begin: list[Any]) -> None:
    begin.pop()


def another_tag(begin: list[Any]) -> None:
    begin[0] = "Begin"


def unknown_name(begin: list[Any]) -> None:
    begin[8]["segmenter"]["segment"]["history"]["more"] = 1


def missing_name(begin: list[Any]) -> None:
    del begin[8]["segmenter"]["pauses"]["speech"]


def unknown_option(begin: list[Any]) -> None:
    begin[9]["decoding"]["more"] = 1


def missing_option(begin: list[Any]) -> None:
    del begin[9]["segmenter"]["tail"]


CHANGES = [too_much, too_little, another_tag, unknown_name, missing_name, unknown_option, missing_option]


@pytest.mark.parametrize("change", CHANGES)
def test_a_recording_that_holds_something_else_is_refused(tmp_path: Path, change: Callable[[list[Any]], None]) -> None:
    records = plain(BEGIN, Closed())
    change(records[0])
    path = write(tmp_path / "x.asrd", blocks.MAGIC, records)
    message = refusal(path)
    assert message.startswith(f"{path} does not hold what format {FORMAT} does (")
    assert message.endswith("); replay it with the asrd that made it")
