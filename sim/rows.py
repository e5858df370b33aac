"""Counters kept sample by sample, a row of numbers each, as far back as anybody looks.

The rule that surprises: what is older than that is forgotten when room is needed, so sometimes more is there than was promised; what is not
there any more is no data, and never the oldest row in its place. The very first row is kept for ever, for counts since the start.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import numpy as np
import numpy.typing as npt

_SAME_S = 1e-9
_ROWS_AT_FIRST = 64
_FIRST = -1


class Rows:
    """Rows of one width, by growing time."""

    def __init__(self, width: int, keep_s: float, kind: type = np.int64) -> None:
        """At least the rows of the last `keep_s` seconds stay."""
        self._keep_s = keep_s
        self._times: list[float] = []
        self._rows: npt.NDArray[Any] = np.empty((_ROWS_AT_FIRST, width), dtype=kind)
        self._first: npt.NDArray[Any] | None = None
        self._began = 0.0

    def __len__(self) -> int:
        return len(self._times)

    @property
    def room(self) -> int:
        """Rows there is room for at present."""
        return len(self._rows)

    def add(self, t: float, row: npt.ArrayLike) -> None:
        """Keep a row; `t` is later than all before."""
        if len(self._times) == len(self._rows):
            self._make_room(t)
        self._rows[len(self._times)] = row
        if self._first is None:
            self._first, self._began = self._rows[0].copy(), t
        self._times.append(t)

    def _make_room(self, now: float) -> None:
        """Forget what is too old, or where that is less than half take twice the room."""
        old = max(0, bisect_right(self._times, now - self._keep_s) - 1)
        left = self._rows[old : len(self._times)]
        if 2 * old < len(self._times):
            old, left = 0, self._rows
            self._rows = np.empty((2 * len(left), left.shape[1]), dtype=left.dtype)
        self._rows[: len(left)] = left.copy()
        del self._times[:old]

    def ends(self, window_s: float, at: float) -> tuple[int, int] | None:
        """Positions of the two rows that stand for a window: the newest one at `at`, and the one a window before that one, or the first of
        all where the window begins earlier. None where one of them is forgotten, or nothing was kept.
        """
        times = self._times
        if not times:
            return None
        new = bisect_right(times, at + _SAME_S) - 1
        if new < 0:
            return (_FIRST, _FIRST) if times[0] == self._began else None
        start = times[new] - window_s + _SAME_S
        if start < times[0]:
            return (new, _FIRST) if start < self._began + 2.0 * _SAME_S or times[0] == self._began else None
        return new, bisect_right(times, start) - 1

    def span_s(self, new: int, old: int) -> float:
        """Time between two rows."""
        return self._time(new) - self._time(old)

    def difference(self, new: int, old: int) -> npt.NDArray[Any]:
        """A row less another one."""
        found: npt.NDArray[Any] = self.row(new) - self.row(old)
        return found

    def row(self, position: int) -> npt.NDArray[Any]:
        """A row; it may be written over later."""
        if position == _FIRST:
            assert self._first is not None, "there is a row"
            return self._first
        found: npt.NDArray[Any] = self._rows[position]
        return found

    def _time(self, position: int) -> float:
        return self._began if position == _FIRST else self._times[position]
