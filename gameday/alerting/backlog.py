"""`kind: backlog`: a queue that is long and longer than it was a window ago.

The rule that surprises: a backlog that is huge but shrinking does not fire; it compares with the newest measurement that is at
least a window old, and says nothing until it has one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gameday.alerting.alert import Sample
from gameday.alerting.source import IndicatorSource
from gameday.errors import Problem
from gameday.instants import lasted

if TYPE_CHECKING:
    from gameday.scenario.monitoring import BacklogRule


@dataclass(slots=True)
class Backlog:
    """The condition of a backlog rule."""

    subject: str
    above: float
    window_s: float
    measured: deque[tuple[float, float]] = field(default_factory=deque)
    """Time and length of past measurements; the first is the newest that is at least a window old, once there is one."""

    def samples(self, source: IndicatorSource, now: float) -> Sequence[Sample]:
        """The subject with its length, when it is beyond the limit and has grown."""
        length = source.value("queue_length", self.subject, 0.0, now)
        if length is not None:
            self.measured.append((now, length))
        while len(self.measured) > 1 and lasted(self.measured[1][0], now, self.window_s):
            self.measured.popleft()
        if length is None or length <= self.above:
            return ()
        before_s, before = self.measured[0]
        return (Sample(self.subject, length),) if lasted(before_s, now, self.window_s) and length > before else ()


def sampler(rule: BacklogRule) -> Backlog:
    """The condition of a rule."""
    return Backlog(rule.on, float(rule.above), rule.window)


def problems(name: str, rule: BacklogRule) -> list[Problem]:
    """What is wrong with a rule: over no time nothing grows."""
    if rule.window > 0:
        return []
    message = "can never fire: a backlog needs time to grow"
    return [Problem(None, None, None, f"monitoring.rules.{name}.window", "0s", message)]
