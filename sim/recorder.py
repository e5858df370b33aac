"""The record of one replication: events as they happen, series as they are sampled.

The rule that surprises: an event may be written later than it happened (an impact is known to have ended only after it stayed
ended); the timeline is ordered by the time it happened, then by the order of writing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gameday.timeline import Event, Series, SeriesSet, Timeline

Numbers = NDArray[np.float64]


class Channel:
    """One series under construction; keep it where a series is written often."""

    __slots__ = ("_parts", "_times", "_values")

    def __init__(self) -> None:
        self._parts: list[tuple[Numbers, Numbers]] = []
        self._times: list[float] = []
        self._values: list[float] = []

    def add(self, t: float, value: float) -> None:
        """Write one value."""
        self._times.append(t)
        self._values.append(value)

    def extend(self, times: Numbers, values: Numbers) -> None:
        """Write many values; the arrays are kept, so that many series may share their times."""
        self._close()
        self._parts.append((times, values))

    def _close(self) -> None:
        if self._times:
            self._parts.append((np.array(self._times, dtype=float), np.array(self._values, dtype=float)))
            self._times, self._values = [], []

    def written(self) -> tuple[Numbers, Numbers] | None:
        """Times and values so far; None when nothing was written."""
        self._close()
        if len(self._parts) > 1:
            times, values = zip(*self._parts, strict=True)
            self._parts = [(np.concatenate(times), np.concatenate(values))]
        return self._parts[0] if self._parts else None


class Recorder:
    """Collects events and series."""

    def __init__(self) -> None:
        self.timeline = Timeline()
        self._channels: dict[tuple[str, tuple[tuple[str, str], ...]], Channel] = {}
        self.writers: list[Callable[[], None]] = []
        """Whoever writes series in blocks; called before the series are read."""

    def record(self, t: float, kind: str, subject: str, data: Mapping[str, Any]) -> None:
        """Write one event that happened at `t`."""
        self.timeline.append(Event(t, kind, subject, "sim", data))

    def channel(self, name: str, **labels: str) -> Channel:
        """The series of that name and labels; one to which nothing is added is not part of the record."""
        return self._channels.setdefault((name, tuple(sorted(labels.items()))), Channel())

    def sample(self, name: str, t: float, value: float, **labels: str) -> None:
        """Write one value of a series."""
        self.channel(name, **labels).add(t, value)

    def series(self) -> SeriesSet:
        """All series, by name and labels."""
        for write in self.writers:
            write()
        every = ((key, channel.written()) for key, channel in sorted(self._channels.items(), key=_key))
        return SeriesSet(Series(name, dict(labels), *written) for (name, labels), written in every if written is not None)


def _key(item: tuple[tuple[str, tuple[tuple[str, str], ...]], Channel]) -> tuple[str, tuple[tuple[str, str], ...]]:
    return item[0]
