"""Settings that are changed while the daemon runs."""

import asyncio
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrd.core.errors import UsageError
from asrd.core.events import Final, Partial, Settings, decode, encode
from asrd.core.flow import FloatArray
from asrd.core.units import Samples, samples, seconds
from asrd.daemon.segmentation.settings import SETTABLE, SegmenterSettings

from .conftest import Harness


async def test_what_is_set_holds_from_the_next_audio_on_and_an_event_says_so(
    harness: Harness, sentences: list[FloatArray]
) -> None:
    """The pause that splits two halves of a sentence at first does not any more."""
    half, pause = len(sentences[1]) // 2, np.zeros(samples(0.8), np.float32)
    halves = np.concatenate([sentences[1][:half], pause, sentences[1][half:]])
    wanted = {"hangover": samples(1.2), "min_hangover": samples(1.2), "max_hangover": samples(1.2)}
    async with harness.running(), harness.sender() as send:
        await send(halves)
        await harness.until(lambda item: len(harness.of(Final)) == 2)
        answer = await asyncio.to_thread(harness.control.set, wanted, "a")
        assert {name: answer["a"][name].value for name in wanted} == wanted
        before = len(harness.seen)
        await send(np.concatenate([halves, pause]))
        await harness.until(lambda item: isinstance(item, Final), before)
        state = (await asyncio.to_thread(harness.control.status)).streams["a"]
        assert (state.settings, state.hangover) == (harness.of(Settings)[0].values, samples(1.2))
    assert len(harness.of(Final)) == 3
    [event] = harness.of(Settings)
    assert event.position <= len(halves)
    assert set(event.values) == set(SETTABLE)
    assert event.values["hangover"] == samples(1.2)
    assert decode(encode(event)) == event


async def test_all_is_set_or_nothing(tmp_path: Path) -> None:
    harness = Harness(tmp_path, sources=tuple(f"{name}=pcm:ipc://{tmp_path}/{name}" for name in "xy"))
    async with harness.running():
        control = harness.control
        for values, stream, why in (
            ({"partials": samples(0.5), "min_hangover": samples(2.0)}, "", "must lie within its bounds"),
            ({"partials": samples(0.5), "speed": 1}, "", "'speed' cannot be set .*, min-hangover, "),
            ({"partials": samples(61.0)}, "", "partials is at most 60 s, not 61"),
            ({"partials": samples(0.5)}, "z", "no stream is called 'z'; there are: x, y"),
        ):
            with pytest.raises(UsageError, match=why):
                await asyncio.to_thread(control.set, values, stream)
        before = await asyncio.to_thread(control.settings)
        assert list(before) == ["x", "y"]
        assert {one.value == one.default for of in before.values() for one in of.values()} == {True}
        after = await asyncio.to_thread(control.set, {"partials": samples(0.5)}, "y")
        assert list(after) == ["y"]
        found = await asyncio.to_thread(control.settings)
        assert (found["x"]["partials"].value, found["y"]["partials"].value) == (samples(0.28), samples(0.5))
    assert not harness.of(Partial, "x")


@given(st.sets(st.sampled_from(["hangover", "min_hangover", "max_hangover"])), st.data())
def test_a_hangover_moves_its_bounds_unless_they_are_set(names: set[str], data: st.DataObject) -> None:
    """At the start, and while the daemon runs; what is set is what was asked for."""
    chosen = {name: data.draw(st.integers(1, 60)) for name in sorted(names)}
    at_start = partial(SegmenterSettings.of_seconds, **chosen)
    running = partial(SegmenterSettings().changed, {name: samples(value) for name, value in chosen.items()})
    bounds = {"min_hangover": 0.3, "max_hangover": 0.9} | chosen
    hangover = chosen.get("hangover", 0.6)
    if chosen.get("min_hangover", 0) > hangover or chosen.get("max_hangover", 60) < hangover:
        for make in (at_start, running):
            with pytest.raises(UsageError, match="must lie within its bounds"):
                make()
        return
    for settings in (at_start(), running()):
        assert {name: seconds(getattr(settings, name)) for name in chosen} == chosen
        assert settings.min_hangover == min(samples(bounds["min_hangover"]), settings.hangover)
        assert settings.max_hangover == max(samples(bounds["max_hangover"]), settings.hangover)
        assert settings.tail <= settings.min_hangover


def test_bounds_are_what_may_be_set_alone() -> None:
    """Of each setting the least and the most there may be can be set, and nothing beyond them."""
    settings = SegmenterSettings(hangover=samples(0.5), min_hangover=samples(0.4), max_hangover=samples(0.8))
    for name, setting in settings.settable().items():
        assert setting.least <= setting.value <= setting.most
        for value in (setting.least, setting.most):
            changed = settings.changed({name: value})
            assert changed.settable()[name].value == value
            assert changed.tail <= changed.min_hangover
        for value in (setting.least - 1, setting.most + 1):
            with pytest.raises(UsageError):
                settings.changed({name: value})
    assert settings.changed({}) == settings
    assert settings.changed({"min_hangover": Samples(160)}).changed({"min_hangover": samples(0.4)}) == settings
