"""Progress of anything longer than two seconds: a line that is rewritten on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TextIO

from gameday.units import format_duration

QUIET_S = 2.0
REWRITE_S = 0.2
LINE_EVERY_S = 15.0


class Progress:
    """Counts finished pieces of work and says how fast they come and how long the rest will take."""

    def __init__(self, stream: TextIO, total: int, what: str, within_s: float | None = None) -> None:
        """`within_s`: time after which no further piece is begun."""
        self._stream = stream
        self._total = total
        self._what = what
        self._within_s = within_s
        self._done = 0
        self._terminal = stream.isatty()
        self._started = time.monotonic()
        self._shown = self._started
        self._width = 0

    def step(self, total: int | None = None) -> None:
        """One piece is finished; `total` replaces how many there are in all, where that turns out only on the way."""
        if total is not None:
            self._total = total
        self._done += 1
        now = time.monotonic()
        pause = REWRITE_S if self._terminal else LINE_EVERY_S
        if now - self._started < QUIET_S or now - self._shown < pause or self._done >= self._total:
            return
        self._shown = now
        rate = self._done / (now - self._started)
        left_s = (self._total - self._done) / rate
        if self._within_s is not None:
            left_s = min(left_s, max(0.0, self._within_s - (now - self._started)))
        left = format_duration(float(round(left_s)))
        text = f"{self._done}/{self._total} {self._what}, {rate:.2g}/s, {left} left"
        self._write(f"\r{text:<{self._width}}" if self._terminal else f"{text}\n")
        self._width = len(text)

    def close(self) -> None:
        """Clear the line; with blanks, for a terminal may know no escape codes."""
        if self._terminal and self._width:
            self._write(f"\r{'':<{self._width}}\r")

    def _write(self, text: str) -> None:
        """Progress that nobody can see (a closed terminal, a full disk) is no reason to stop."""
        with suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()
