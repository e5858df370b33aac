"""Where an observer writes: events to a timeline file of its own, samples to a file beside it; from any thread, as they happen."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from experiments.clock import RunClock
from gameday.timeline import Event, Source
from gameday.timeline_files import TimelineWriter

SAMPLES: Final = "samples-{}.jsonl"


class Notebook:
    """The record of one observing process."""

    def __init__(self, folder: Path, name: str, clock: RunClock) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._events = TimelineWriter(folder / f"{name}.jsonl")
        self._samples = (folder / SAMPLES.format(name)).open("a", encoding="utf-8", buffering=1)

    def say(self, kind: str, subject: str, data: Mapping[str, Any], *, at: float | None = None, source: Source = "live") -> None:
        """Write an event down, of this instant where none is given."""
        t = self.clock.now() if at is None else at
        with self._lock:
            self._events.write(Event(t, kind, subject, source, data, self.clock.wall_at(t)))

    def sample(self, name: str, value: float, t: float | None = None, **labels: str) -> None:
        """Write a value of a series down."""
        record = {"name": name, "labels": labels, "t": self.clock.now() if t is None else t, "value": value}
        with self._lock:
            self._samples.write(json.dumps(record, separators=(",", ":")) + "\n")

    def close(self) -> None:
        """Bring everything to the disk."""
        with self._lock:
            self._events.close()
            self._samples.close()
