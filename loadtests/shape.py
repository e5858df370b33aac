"""The shape of the test in Locust's terms: all drivers at once until the day is over.

The load profile is not in it: it is in the drivers, which send by intended starts. Locust's user count would only cap it.
"""

from __future__ import annotations

from typing import ClassVar

from locust import LoadTestShape

from loadtests.plan import LoadPlan
from loadtests.recorder import Recorder

TAIL_S = 2.0
"""Time after the end of the day in which the last answers are waited for."""


class DayShape(LoadTestShape):
    """Runs the drivers for as long as the day lasts."""

    abstract = True
    plan: ClassVar[LoadPlan]
    recorder: ClassVar[Recorder | None] = None

    def tick(self) -> tuple[int, float] | None:
        """Users and spawn rate of the moment; None ends the test."""
        now = self.recorder.now() if self.recorder is not None else float(self.get_run_time())  # type: ignore[no-untyped-call]
        if now >= self.plan.scenario.duration + TAIL_S:
            return None
        users = len(self.plan.classes) * self.plan.drivers
        return users, float(users)
