"""The pace of observers: fixed instants, or quicker while something is awaited; a bound on every wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator


def every(seconds: float, phase_s: float = 0.0) -> Iterator[None]:
    """Come round at fixed instants; what took too long skips some."""
    due = time.monotonic() + phase_s
    while True:
        time.sleep(max(0.0, due - time.monotonic()))
        yield
        due = max(due + seconds, time.monotonic())


class Haste:
    """A pace that is quicker for a while from the instant at which somebody says so: nobody sleeps through the beginning of what is awaited."""

    def __init__(self, calm_s: float, hurried_s: float, longest_s: float) -> None:
        """Pauses between rounds, and how long haste lasts at most."""
        self._calm_s, self._hurried_s, self._longest_s = calm_s, hurried_s, longest_s
        self._on, self._until = threading.Event(), 0.0

    def begin(self) -> None:
        """What is awaited has begun."""
        self._until = time.monotonic() + self._longest_s
        self._on.set()

    def end(self) -> None:
        """It is over."""
        self._on.clear()

    def rounds(self) -> Iterator[None]:
        """Come round, one thread each."""
        while True:
            yield
            if self._on.is_set() and time.monotonic() >= self._until:
                self._on.clear()
            if self._on.is_set():
                time.sleep(self._hurried_s)
            else:
                self._on.wait(self._calm_s)
