"""Turn frame decisions into the start and end of speech, with hysteresis. Pure counting: no clock."""

import math
from collections import deque

from asrd.daemon.state import State, Stateful


class EndpointerState(State, frozen=True):
    """recent: one flag for each of the last frames, true if it was voiced, within the span searched for the start of
    speech.
    """

    recent: list[bool]


class Endpointer(Stateful[EndpointerState]):
    """Find the start and end of speech with two thresholds over two spans: a click does not start it, a breath not
    end it.

    Speech starts with a voiced frame when at least `enter` of the last `onset` frames are voiced. It ends with an
    unvoiced frame when at most `leave` of the last `limit` frames are voiced and the first of them is not: no silence
    shorter than the limit ends it. Frames of speech are counted from the frame where it was found; before that, only
    the last `onset` frames are kept.
    """

    def __init__(self, onset: int, enter: float = 0.8, leave: float = 0.1) -> None:
        self._enter, self._leave = enter, leave
        self._frame = 0
        self._found: tuple[bool, ...] = ()
        self._voiced: deque[int] = deque(maxlen=1024)
        self.speaking = False
        self.resize(onset)

    def resize(self, onset: int) -> None:
        """Search for the start of speech in the last `onset` frames from now on; forget the frames so far."""
        self._onset: deque[bool] = deque(maxlen=onset)

    def state(self) -> EndpointerState:
        """Return the frames in which speech may have begun."""
        return EndpointerState(list(self._onset))

    def resume(self, state: EndpointerState) -> None:
        """Add these frames to those searched for the start of speech."""
        self._onset.extend(state.recent)

    def accept(self, voiced: bool, limit: int) -> bool:
        """Take the next frame; return whether `speaking` changed with it."""
        if self.speaking:
            self._frame += 1
            if voiced:
                self._voiced.append(self._frame)
            change = not voiced and self._silent(limit)
        else:
            self._onset.append(voiced)
            full = len(self._onset) == self._onset.maxlen
            change = voiced and full and sum(self._onset) >= math.ceil(len(self._onset) * self._enter)
        if change:
            self.switch(not self.speaking)
        return change

    @property
    def lookback(self) -> int:
        """Number of frames between the first voiced frame of the speech just found and the current one."""
        return len(self._found) - 1 - self._found.index(True)

    def left(self, limit: int) -> int:
        """Return the number of frames after which speech ends if all of them are unvoiced. Only while `speaking`."""
        before = max(0, self._frame + 1 - limit)
        while not self._quiet(before, limit):
            before += 1
        return before + limit - self._frame

    def switch(self, speaking: bool) -> None:
        """Set the state from outside, as if it had been decided now."""
        self._found = tuple(self._onset)
        self.speaking = speaking
        self._onset.clear()
        self._voiced.clear()
        self._frame = 0

    def _silent(self, limit: int) -> bool:
        before = self._frame - limit
        return before >= 0 and self._quiet(before, limit)

    def _quiet(self, before: int, limit: int) -> bool:
        """Return whether at most `leave` of the `limit` frames after `before` are voiced, and the first is not."""
        recent = [frame for frame in self._voiced if frame > before]
        return len(recent) <= self._leave * limit and before + 1 not in recent
