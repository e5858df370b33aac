"""The record of one replication: events as they happen, series as they are sampled.

The rule that surprises: an event may be written later than it happened (an impact is known to have ended only after it stayed
ended); the timeline is ordered by the time it happened, then by the order of writing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gameday.timeline import Event, Series, SeriesSet, Timeline


class Channel:
    """One series under construction; keep it where a series is written often."""

    __slots__ = ("times", "values")

    def __init__(self) -> None:
        self.times: list[float] = []
        self.values: list[float] = []

    def add(self, t: float, value: float) -> None:
        """Write one value."""
        self.times.append(t)
        self.values.append(value)


class Recorder:
    """Collects events and series."""

    def __init__(self) -> None:
        self.timeline = Timeline()
        self._channels: dict[tuple[str, tuple[tuple[str, str], ...]], Channel] = {}

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
        written = ((key, channel) for key, channel in sorted(self._channels.items(), key=_key) if channel.times)
        return SeriesSet(Series(name, dict(labels), channel.times, channel.values) for (name, labels), channel in written)


def _key(item: tuple[tuple[str, tuple[tuple[str, str], ...]], Channel]) -> tuple[str, tuple[tuple[str, str], ...]]:
    return item[0]
