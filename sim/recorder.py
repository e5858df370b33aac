"""The record of one replication: events as they happen, series as they are sampled.

The rule that surprises: an event may be written later than it happened (an impact is known to have ended only after it stayed
ended); the timeline is ordered by the time it happened, then by the order of writing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gameday.timeline import Event, Series, SeriesSet, Timeline


class Recorder:
    """Collects events and series, and tells whoever listens about each event at once."""

    def __init__(self) -> None:
        self.timeline = Timeline()
        self._series: dict[tuple[str, tuple[tuple[str, str], ...]], tuple[list[float], list[float]]] = {}

    def record(self, t: float, kind: str, subject: str, data: Mapping[str, Any]) -> None:
        """Write one event that happened at `t`."""
        self.timeline.append(Event(t, kind, subject, "sim", data))

    def sample(self, name: str, t: float, value: float, **labels: str) -> None:
        """Write one value of a series."""
        times, values = self._series.setdefault((name, tuple(sorted(labels.items()))), ([], []))
        times.append(t)
        values.append(value)

    def series(self) -> SeriesSet:
        """All series, by name and labels."""
        return SeriesSet(
            Series(name, dict(labels), times, values) for (name, labels), (times, values) in sorted(self._series.items())
        )
