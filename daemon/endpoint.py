"""From frame decisions to the start and end of speech, with hysteresis. Pure counting: no clock."""

import math
from collections import deque


class Endpointer:
    """Two thresholds over two spans, so that a click does not start speech nor a breath end it.

    Speech starts when at least `enter` of the last `onset` frames are voiced, and ends when at
    most `leave` of the last `hangover` frames are. Both spans count frames since the last change,
    and only a voiced frame starts speech, only an unvoiced one ends it.
    """

    def __init__(self, onset: int, hangover: int, enter: float = 0.8, leave: float = 0.1) -> None:
        self._enter = math.ceil(onset * enter)
        self._leave = math.floor(hangover * leave)
        self._onset: deque[bool] = deque(maxlen=onset)
        self._hangover: deque[bool] = deque(maxlen=hangover)
        self.speaking = False

    def accept(self, voiced: bool) -> bool:
        """Take the next frame; return whether `speaking` changed with it."""
        recent = self._hangover if self.speaking else self._onset
        recent.append(voiced)
        if len(recent) < (recent.maxlen or 0):
            return False
        if self.speaking:
            change = not voiced and sum(recent) <= self._leave
        else:
            change = voiced and sum(recent) >= self._enter
        if change:
            self.switch(not self.speaking)
        return change

    @property
    def lookback(self) -> int:
        """Frames before the current one in which speech that was just found began."""
        return len(self._found) - 1 - self._found.index(True)

    def switch(self, speaking: bool) -> None:
        """Set the state from outside, as if it had been decided now."""
        self._found = tuple(self._onset)
        self.speaking = speaking
        self._onset.clear()
        self._hangover.clear()
