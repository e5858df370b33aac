"""Ctrl-C and SIGTERM while a run is played: at once while it only computes, afterwards while something must stay whole.

The rule that surprises: both mean the same, "stop and keep what is finished", because CI systems and `timeout` send SIGTERM where a
person presses Ctrl-C. A signal that was ignored when we were started (`nohup`, a shell's background job) stays ignored.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Final, Self

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
AGAIN_S: Final = 0.5
"""Signals closer together than this are one interrupt (`timeout` sends two), and one that nobody took is raised again after it."""


class Interrupts:
    """Turns the signals into KeyboardInterrupt for the length of a `with` block; does nothing outside the main thread.

    Python drops an exception that is raised inside a destructor or another callback, so an interrupt is raised until it is `taken`.
    After that, further ones wait until `released`, so that what was finished can be written.
    """

    def __init__(self) -> None:
        """No signal has come."""
        self._held = 0
        self._pending = False
        self._raised_at = -math.inf
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (*SIGNALS, signal.SIGALRM):
                previous = signal.getsignal(number)
                if previous is not signal.SIG_IGN:
                    self._previous[number] = previous
                    signal.signal(number, self._on_signal)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._previous:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
        for number, previous in self._previous.items():
            signal.signal(number, previous)
        self._previous.clear()

    @contextmanager
    def held(self) -> Iterator[None]:
        """What is inside is done to its end; an interrupt that came meanwhile is raised after it."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
        self._raise_if_pending()

    def taken(self) -> None:
        """The interrupt is acted on: from here on nothing is raised until `released`."""
        self._held += 1
        self._pending = False
        if self._previous:
            signal.setitimer(signal.ITIMER_REAL, 0.0)

    def released(self) -> None:
        """What had to stay whole is done; another interrupt that came meanwhile is raised."""
        self._held = 0
        self._raise_if_pending()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGALRM and time.monotonic() - self._raised_at < AGAIN_S:
            return
        self._pending = self._pending or number != signal.SIGALRM
        self._raise_if_pending()

    def _raise_if_pending(self) -> None:
        if self._pending and not self._held:
            self._raised_at = time.monotonic()
            if self._previous:
                signal.setitimer(signal.ITIMER_REAL, AGAIN_S)
            raise KeyboardInterrupt


@contextmanager
def signals_blocked() -> Iterator[None]:
    """Processes and threads that are started inside never see the signals; to us they come afterwards."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (*SIGNALS, signal.SIGALRM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
