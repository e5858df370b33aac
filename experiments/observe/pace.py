"""The pace of observers: fixed instants, a bound on every wait."""

from __future__ import annotations

import time
from collections.abc import Iterator


def every(seconds: float, phase_s: float = 0.0) -> Iterator[None]:
    """Come round at fixed instants; what took too long skips some."""
    due = time.monotonic() + phase_s
    while True:
        time.sleep(max(0.0, due - time.monotonic()))
        yield
        due = max(due + seconds, time.monotonic())
