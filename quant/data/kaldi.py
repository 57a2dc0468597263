"""Kaldi data directories: `wav.scp` and `text`, with `segments` and `utt2spk` or without."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from asrd.core.errors import AudioError, UsageError
from asrd.quant.data import columns, lines
from asrd.quant.data.audio import is_file
from asrd.quant.data.clip import Clip

MARK = "wav.scp"


def clips(path: Path) -> list[Clip]:
    """List the utterances of a directory, in the order of `text`, then those that have no text.

    Audio is named relative to the directory, or to the current one, as Kaldi has it. What is listed as the output of a
    command is a clip that says so: no command is ever run. A speaker named as the utterance is unknown.
    Raises UsageError if there is no `text`, AudioError if a list cannot be read or if no utterance in them is sound.
    """
    if not (path / "text").is_file():
        raise UsageError(f"{path} has a {MARK} but no 'text' with lines such as: utterance-1 HELLO; add it")
    lists = _Lists(
        path,
        _read(path / MARK),
        _read(path / "segments") if (path / "segments").is_file() else None,
        _read(path / "utt2spk") if (path / "utt2spk").is_file() else {},
    )
    listed = [lists.clip(name, said, f"text, line {number}") for number, name, said in lines.entries(path / "text")]
    named = {clip.id for clip in listed}
    listed += [lists.clip(name, "", "") for name in lists.utterances() if name not in named]
    if not listed:
        raise AudioError(f"{path / 'text'} lists no utterances; it needs lines such as: utterance-1 HELLO")
    if all(clip.fault for clip in listed):
        raise AudioError(f"{path}: {listed[0].id} {listed[0].fault}")
    return listed


def _read(path: Path) -> dict[str, str]:
    """Read a list of names and what belongs to them."""
    return {name: rest for _, name, rest in lines.entries(path)}


@dataclass(frozen=True, slots=True)
class _Lists:
    """The lists of a directory but `text`: for each name, the rest of its line. segments: None if there are none."""

    path: Path
    recordings: dict[str, str]
    segments: dict[str, str] | None
    speakers: dict[str, str]

    def utterances(self) -> Iterator[str]:
        """Yield the names of those that have audio."""
        yield from self.recordings if self.segments is None else self.segments

    def clip(self, name: str, said: str, where: str) -> Clip:
        """Return the clip of an utterance, or of what is wrong with it."""
        who = columns.speaker(self.speakers.get(name, ""))
        try:
            recording, span = self._segment(name)
            audio = self._audio(recording)
        except ValueError as error:
            return Clip(name, said, self.path, fault=str(error), where=where)
        return Clip(name, said, audio, "" if who == name else who, span, where)

    def _segment(self, name: str) -> tuple[str, columns.Span]:
        """Return the recording of an utterance, and where in it. An end of -1 is the recording's."""
        if self.segments is None:
            return name, columns.WHOLE
        if len(words := self.segments.get(name, "").split()) != 3:
            raise ValueError("has no line UTTERANCE RECORDING START END in segments")
        start, end = map(columns.seconds, words[1:])
        return words[0], columns.between(start, math.inf if end == -1 else end)

    def _audio(self, recording: str) -> Path:
        """Return the file of a recording."""
        if not (entry := self.recordings.get(recording, "")):
            raise ValueError(f"has no audio: {MARK} does not list '{recording}'")
        if entry.endswith("|"):
            raise ValueError(f"is made by a command in {MARK}, which asrd never runs; name a file there instead")
        return next(filter(is_file, (self.path / entry, Path(entry))), self.path / entry)
