"""Regulatory clocks: not started, running, met, late. Not legal advice.

The rule that surprises: a clock starts at a timestamp, never at a date, and only when its duty exists: where a law asks for an impact
of some length, the clock starts at the later of the anchor and the moment the impact has lasted that long (NIS2 counts from becoming
aware of a *significant* incident, and one that short is none yet). A notice given before the clock starts meets it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gameday.instants import SAME_INSTANT_S, reached

if TYPE_CHECKING:
    from gameday.scenario.communication import RegulatoryClock

ClockState = Literal["not-started", "running", "met", "late"]
DISCLAIMER = "Not legal advice: check the text of the law and your own obligations."


@dataclass(frozen=True, slots=True)
class ClockEvent:
    """A change of state: `clock.started`, `clock.met` or `clock.late` in the timeline."""

    at: float
    change: Literal["started", "met", "late"]
    clock: str
    regime: str
    anchor: str
    due_s: float
    margin_s: float | None = None
    """Time left when it was met; None otherwise."""


class ClockMachine:
    """One clock of the communication plan; told what happens, and the time."""

    def __init__(self, name: str, plan: RegulatoryClock) -> None:
        """Times are seconds from the start of the run."""
        self.name = name
        self.plan = plan
        self.state: ClockState = "not-started"
        self.due_s: float | None = None
        self.met_s: float | None = None
        """When the first notice went out, also when it was late."""
        self._anchored_s: float | None = None
        self._impact_since_s: float | None = None
        self._duty_s: float | None = None if plan.when_impact_longer_than > 0 else 0.0

    def happened(self, kind: str, now: float) -> list[ClockEvent]:
        """Something happened: a kind of the timeline. Only impacts and the clock's anchor matter, others are ignored.

        `impact.ended` means that no impact is left; a later one is counted from its own start. The first anchor counts.
        """
        events = self.tick(now)
        if kind == "impact.started" and self._impact_since_s is None:
            self._impact_since_s = now
        elif kind == "impact.ended":
            self._impact_since_s = None
        if kind == self.plan.anchor and self._anchored_s is None:
            self._anchored_s = now
        return events + self.tick(now)

    def published(self, audience: str, now: float) -> list[ClockEvent]:
        """A message to an audience went out; the first to the clock's audience meets it."""
        events = self.tick(now)
        if audience == self.plan.audience and self.met_s is None:
            self.met_s = now
            events += self._meet(now)
        return events

    def tick(self, now: float) -> list[ClockEvent]:
        """Look at the clock."""
        events: list[ClockEvent] = []
        duty_s = self._duty_from_s()
        if self._duty_s is None and duty_s is not None and reached(duty_s, now):
            self._duty_s = duty_s
        if self.state == "not-started" and self._anchored_s is not None and self._duty_s is not None:
            self.state = "running"
            started_s = max(self._anchored_s, self._duty_s)
            self.due_s = started_s + self.plan.within
            events.append(self._event(started_s, "started"))
            if self.met_s is not None:
                events += self._meet(now)
        if self.state == "running" and self.due_s is not None and now > self.due_s + SAME_INSTANT_S:
            self.state = "late"
            events.append(self._event(now, "late"))
        return events

    def next_at(self) -> float | None:
        """When it may next change by itself: the duty begins, or the time is over."""
        if self.state == "running" and self.due_s is not None:
            # A notice exactly when it is due is in time; it is late the next instant.
            return self.due_s + 2 * SAME_INSTANT_S
        return self._duty_from_s() if self.state == "not-started" and self._duty_s is None else None

    def _meet(self, now: float) -> list[ClockEvent]:
        if self.state != "running":
            return []
        assert self.due_s is not None
        assert self.met_s is not None
        self.state = "met"
        return [self._event(now, "met", self.due_s - self.met_s)]

    def _duty_from_s(self) -> float | None:
        return None if self._impact_since_s is None else self._impact_since_s + self.plan.when_impact_longer_than

    def _event(self, at: float, change: Literal["started", "met", "late"], margin_s: float | None = None) -> ClockEvent:
        assert self.due_s is not None
        return ClockEvent(at, change, self.name, self.plan.regime, self.plan.anchor, self.due_s, margin_s)
