"""Hot words at their default boost, in audio, bring out names and leave other text alone."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from asrd.backends import Backend, load
from asrd.cli.words import BOOST
from asrd.core.flow import FloatArray
from asrd.core.units import samples
from asrd.daemon.recognition.decoding import Boosts, DecoderOptions, make_decoding
from asrd.daemon.sources.files import read_blocks
from asrd.models import ModelDirectory
from asrd.models.lm import resolve
from asrd.quant.data import dataset
from asrd.quant.evaluation.decode import Utterances, emissions, text
from asrd.quant.evaluation.frames import utterances
from asrd.quant.evaluation.score import score

UNSAID = (
    *("Siobhan", "Aoife", "Adeyemi", "Takahashi", "Szczepanski", "Kowalczyk", "Papadopoulos", "Gunnarsson"),
    *("Bjornsdottir", "Venkataraman", "Krishnamurthy", "Mbeki", "Tshabalala", "Quetzalcoatl", "Wojciechowski"),
    *("Featherstonehaugh", "Gethsemane", "Llewellyn", "Caoimhe", "Xiomara"),
)

SAID = (
    *("Saoirse", "Niamh", "Okonkwo", "Nakamura", "Kowalski", "Norland", "Benedict", "Montgomery", "Fitzgerald"),
    *("Tomasz", "Kathleen", "Oliver", "Patricia", "Marianne", "Dashwood", "Gonzalez", "Victoria", "Jonathan"),
    *("Elinor", "Margaret"),
)

FRAMES = (
    "please call {} tomorrow morning",
    "i talked to {} about the new house",
    "the letter from {} came on monday",
)


@pytest.fixture(scope="module")
def backend(bundled: ModelDirectory) -> Backend:
    return load("int8", bundled)


def decode(backend: Backend, clips: Sequence[Utterances], names: Sequence[str]) -> list[str]:
    boosts: Boosts = dict.fromkeys(names, BOOST)
    decoding = make_decoding(DecoderOptions("beam", lm=str(resolve("en").path)), backend.model)
    return [text(decoding, clip, backend.model.geometry.stride, boosts=boosts) for clip in clips]


def held(one: str, names: Sequence[str]) -> int:
    """Count the words of a text that are among the names."""
    return sum(word in {name.upper() for name in names} for word in one.upper().split())


def test_twenty_names_that_nobody_says_leave_all_text_as_it_is(backend: Backend) -> None:
    """At most one in a hundred of the bundled clips gets a misheard name. Every third clip, and all real ones, are
    used: all together would take a minute.
    """
    every = dataset("bundled")
    clips = [*every[:5], *every[5::3]]
    heard, spoken = emissions(backend, clips), [clip.text for clip in clips]
    plain, hot = decode(backend, heard, []), decode(backend, heard, UNSAID)
    misheard = [one for one in hot if held(one, UNSAID)]
    assert len(misheard) <= len(clips) / 100
    assert [one for one, other in zip(hot, plain, strict=True) if one != other and one not in misheard] == []
    assert score(spoken, hot).wer.value <= score(spoken, plain).wer.value + 0.001


@pytest.mark.skipif(not shutil.which("flite"), reason="flite speaks the names")
def test_names_come_out_right(backend: Backend, tmp_path: Path) -> None:
    """Each voice says each name once, with all names listed: more names come out, none in a wrong place, and the rest
    of the text is no worse.
    """
    heard, spoken, meant = [], [], []
    for voice in ("rms", "slt"):
        for number, name in enumerate(SAID):
            spoken.append(FRAMES[number % len(FRAMES)].format(name).upper())
            meant.append(name.upper())
            heard.append(utterances(backend, say(spoken[-1], voice, tmp_path / "said.wav")))
    plain, hot = decode(backend, heard, []), decode(backend, heard, SAID)

    def right(texts: Sequence[str]) -> set[int]:
        return {number for number, one in enumerate(texts) if meant[number] in one.split()}

    assert right(plain) <= right(hot)
    assert len(right(hot)) - len(right(plain)) >= (len(meant) - len(right(plain))) / 5
    wrong = sum(held(one, SAID) for one in hot) - len(right(hot))
    assert wrong <= len(meant) / 20

    def rest(texts: Sequence[str]) -> list[str]:
        return [" ".join(word for word in one.split() if not held(word, SAID)) for one in texts]

    assert score(rest(spoken), rest(hot)).wer.value <= score(rest(spoken), rest(plain)).wer.value


def say(sentence: str, voice: str, path: Path) -> FloatArray:
    """Speak a sentence: return the audio `(samples,)`, with silence around it."""
    subprocess.run(["flite", "-voice", voice, "-t", sentence.lower(), "-o", path], check=True)
    silence = np.zeros(samples(0.5), np.float32)
    return np.concatenate([silence, *read_blocks(path), silence, silence])
