"""Guards: they watch a running day and stop it. Silence is a breach, and so is a guard that fails itself.

The rule that surprises: a guard stops the controller by a signal to its own process, because that is the only thing that ends an
activity of Chaos Toolkit that is waiting; rollbacks are then played, and the guardian still stands behind.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from experiments.clock import RunClock
from experiments.safety.lever import Lever
from gameday.load_stream import LoadStream
from gameday.scenario.model import Scenario
from gameday.target import Guards

LOOK_EVERY_S = 0.25
WINDOW_S = 5.0
STARTS_WITHIN_S = 20.0
"""Time the load generator has until its first second."""


@dataclass(slots=True)
class Watch:
    """The conditions under which a day is stopped; `breach` says which holds."""

    scenario: Scenario
    limits: Guards
    clock: RunClock
    stream: LoadStream
    lever: Lever
    observers_alive: Callable[[], bool] = lambda: True
    _below_since: dict[str, float] = field(default_factory=dict)

    def breach(self) -> str | None:
        """Why the day has to stop now; None while it may go on."""
        engaged = self.lever.engaged()
        if engaged is not None:
            return f"the safety lever was engaged: {engaged}"
        now = self.clock.now()
        if now >= self.scenario.duration:
            return None  # the load has ended as planned; what is left is healing and proof
        if not self.observers_alive():
            return "a process that observes or loads the system died"
        self.stream.read()
        return self._silence(now) or self._budget() or self._good_ratio(now)

    def _silence(self, now: float) -> str | None:
        newest = self.stream.complete_until
        silent_s = now - (newest or 0)
        allowed_s = max(self.limits.silent, STARTS_WITHIN_S) if newest is None else self.limits.silent
        if now > 0 and silent_s > allowed_s:
            return f"no data of the load for {silent_s:.0f} s, and {allowed_s:g} s are allowed"
        return None

    def _budget(self) -> str | None:
        if self.limits.lost_requests is None:
            return None
        lost = sum(self.stream.total().lost.values())
        if lost <= self.limits.lost_requests:
            return None
        return f"{lost} requests were lost, and the budget is {self.limits.lost_requests}"

    def _good_ratio(self, now: float) -> str | None:
        newest = self.stream.complete_until
        if newest is None:
            return None
        for name, each in self.scenario.load.classes.items():
            if each.priority != "critical":
                continue
            _, good, lost = self.stream.answered(name, WINDOW_S, newest)
            if good + lost == 0 or good / (good + lost) >= self.limits.good_below:
                self._below_since.pop(name, None)
                continue
            since = self._below_since.setdefault(name, now)
            if now - since >= self.limits.lasting:
                share = self.limits.good_below
                return f"less than {share:.0%} of {name} were answered well for {now - since:.0f} s"
        return None


class GuardThread(threading.Thread):
    """Looks four times a second; beats for the guardian; on a breach tells `stop` once and signals the main thread."""

    def __init__(self, watch: Watch, beat: Callable[[], None], stop: Callable[[str], None]) -> None:
        super().__init__(daemon=True, name="guards")
        self._watch, self._tell_guardian, self._tell = watch, beat, stop
        self._ended = threading.Event()
        self.reason: str | None = None

    def run(self) -> None:
        """Until the day is over or has to stop."""
        while not self._ended.wait(LOOK_EVERY_S):
            self._tell_guardian()
            if self.reason is not None:
                continue
            try:
                self.reason = self._watch.breach()
            except Exception as error:  # noqa: BLE001 - a guard that fails is a breach
                self.reason = f"a guard failed: {type(error).__name__}: {error}"
            if self.reason is not None:
                self._tell(self.reason)
                os.kill(os.getpid(), signal.SIGUSR1)

    def end(self) -> None:
        """Stop looking."""
        self._ended.set()
        self.join(5.0)


def wait_for(condition: Callable[[], bool], within_s: float, every_s: float = 0.1) -> bool:
    """Whether a condition came true in time."""
    ends = time.monotonic() + within_s
    while not condition():
        if time.monotonic() >= ends:
            return False
        time.sleep(every_s)
    return True
