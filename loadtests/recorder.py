"""Writes the stream: once a second, what became of the requests since; also when nothing did, for silence means something else.

The rule that surprises: a process has one file, and a test that is started again (Locust's own page has a button for it) begins it anew, for
whoever reads the folder adds up all files in it.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, TextIO

import gevent

from gameday.load_stream import MOVED, Counts, Move, Second, line_of

LAG_S = 0.02
"""Time after the end of a second at which it is written: what ends at its edge still counts."""


class Recorder:
    """Counts of one generator process."""

    def __init__(self, folder: Path | None, began: float) -> None:
        """`began`: instant 0 on the monotonic clock. Without a folder it counts and writes nothing."""
        self._began = began
        self._second: Second = {}
        self._notes: dict[str, Any] = {}
        self._moved: list[Move] = []
        self._next = max(0, int(self.now())) + 1
        self._ended = False
        self._file: TextIO | None = None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = (folder / f"load-{os.getpid()}.jsonl").open("w", encoding="utf-8", buffering=1)

    def now(self) -> float:
        """Seconds since instant 0."""
        return time.monotonic() - self._began

    def of(self, request_class: str, origin: str) -> Counts:
        """The counts of this second."""
        return self._second.setdefault((request_class, origin), Counts())

    def note(self, name: str, value: float) -> None:
        """Something about the generator itself; the worst of a second is kept."""
        self._notes[name] = max(value, self._notes.get(name, value))

    def moved(self, origin: str, before: str | None, after: str) -> None:
        """A resolver cache of an origin's clients goes to another region from now on."""
        self._moved.append((round(self.now(), 3), origin, before, after))

    def run(self) -> None:
        """Write until the test ends."""
        while True:
            gevent.sleep(max(0.0, self._next + LAG_S - self.now()))
            if self._ended:
                return
            self.flush(self._next)
            self._next += 1

    def end(self) -> None:
        """Write the second that has begun, and nothing after it."""
        self._ended = True
        self.flush(self._next)
        if self._file is not None:
            self._file.close()
            self._file = None

    def flush(self, second: int) -> None:
        """Write the second that ends at `second`."""
        counts, notes = self._second, self._notes
        if self._moved:
            notes[MOVED] = self._moved
        self._second, self._notes, self._moved = {}, {}, []
        if self._file is not None:
            self._file.write(line_of(second, counts, notes))
