"""Clocks of legal duties in a run: told what happens, they start from the law's own anchors. Not legal advice.

The rule that surprises: an anchor that never comes starts nothing. A clock that needs a classification which nobody made does not run and is
not late; that it cannot be shown to be met is a finding of its own (`anchor-missing`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

from gameday.clocks import ClockEvent, ClockState
from gameday.instants import SAME_INSTANT_S
from gameday.people import wall_time, zone
from gameday.regimes import DUTIES, Anchor, Anchors, Calendar, Outage, dora_major_criteria, nis2_significant

if TYPE_CHECKING:
    from gameday.scenario.regulation import LegalDuty, Regulation

CLASSIFIED: Final = "incident.classified"
ANCHORS_OF: Final[Mapping[str, tuple[Anchor, ...]]] = {
    "page.acknowledged": ("aware", "discovered"),
    "incident.declared": ("aware", "discovered"),
    CLASSIFIED: ("classified", "determined"),
}
"""Which anchors an event of the timeline is."""
NOTICE_BEFORE: Final[Mapping[Anchor, str]] = {
    "notified": "nis2.notification",
    "initial_sent": "dora.initial",
    "intermediate_sent": "dora.intermediate",
}
"""Duty whose notice is the anchor of another."""
UNAVAILABLE_RATIO: Final = 0.99
"""Share of lost requests from which a class counts as fully unavailable. Assumption: the texts name no share."""
LIMITED_RATIO: Final = 0.05
"""Share from which it counts as limited for more than 5 % of users; lost requests stand for users. Assumption."""


def calendar_of(plan: Regulation) -> Calendar:
    """Whose days count."""
    return Calendar(tuple(plan.holidays), zone(plan.timezone), plan.weekend_relief, plan.trust_service)


def audience_before(plan: Regulation, name: str) -> str | None:
    """Audience of the notice from which a duty counts; None where it counts from something else, or that notice is not planned."""
    before = NOTICE_BEFORE.get(DUTIES[name].anchor)
    return plan.duties[before].audience if before in plan.duties else None


@dataclass(slots=True)
class OutageMeter:
    """Adds up what an outage does from looks at the share of lost requests; what a look shows holds since the look before."""

    critical: Collection[str]
    """Classes that support a critical function."""
    counts_money: bool = True
    """Whether money is in euros."""
    _unavailable: dict[str, float] = field(default_factory=dict)
    _limited: dict[str, float] = field(default_factory=dict)
    _longest: dict[str, float] = field(default_factory=lambda: {"unavailable": 0.0, "critical": 0.0, "limited": 0.0})

    def look(self, now: float, lost: Mapping[str, float], money: float) -> Outage:
        """The outage so far; `money`: lost since the start."""
        for name, share in lost.items():
            self._since(self._unavailable, "unavailable", name, now, holds=share >= UNAVAILABLE_RATIO)
            self._since(self._limited, "limited", name, now, holds=share > LIMITED_RATIO)
        limited_s = self._longest["limited"]
        return Outage(
            unavailable_s=self._longest["unavailable"],
            limited_s=limited_s,
            affected_users_ratio=1.0 if limited_s else 0.0,
            loss_eur=money if self.counts_money else 0.0,
            critical=self._longest["critical"] >= self._longest["unavailable"],
            duration_s=limited_s,
        )

    def _since(
        self, times: dict[str, float], what: Literal["unavailable", "limited"], name: str, now: float, *, holds: bool
    ) -> None:
        if not holds:
            times.pop(name, None)
            return
        lasted_s = now - times.setdefault(name, now)
        self._longest[what] = max(self._longest[what], lasted_s)
        if what == "unavailable" and name in self.critical:
            self._longest["critical"] = max(self._longest["critical"], lasted_s)


def reaches(only_if: str | None, outage: Outage) -> bool:
    """Whether an outage reaches the threshold of a duty."""
    if only_if is None:
        return True
    return bool(nis2_significant(outage) if only_if == "nis2_significant" else dora_major_criteria(outage))


def from_size(anchors: Mapping[Anchor, float], applies_s: float) -> dict[Anchor, float]:
    """Anchors of a duty that exists from some size on: nobody is aware of a significant incident before it is one."""
    return {anchor: max(at, applies_s) if anchor in ("aware", "discovered") else at for anchor, at in anchors.items()}


def due_s(name: str, anchors: Mapping[Anchor, float], days: Calendar, starts: datetime) -> float | None:
    """When a duty is due, seconds from the start of the run; None without its anchor."""
    walls = {anchor: wall_time(starts, at) for anchor, at in anchors.items()}
    due = DUTIES[name].due(Anchors(**walls), days)
    return None if due is None else (due - wall_time(starts, 0.0)).total_seconds()


class DutyMachine:
    """The clock of one duty; like `ClockMachine` it is told what happens, and the time."""

    def __init__(self, name: str, plan: LegalDuty, days: Calendar, starts: datetime, before: str | None) -> None:
        """`before`: audience of the notice from which it counts."""
        self.name = name
        self.plan = plan
        self.state: ClockState = "not-started"
        self.due_s: float | None = None
        self.met_s: float | None = None
        self._days = days
        self._starts = starts
        self._before = before
        self._duty = DUTIES[name]
        self._anchors: dict[Anchor, float] = {}
        self._hurt = False
        self._applies_s: float | None = None if plan.only_if else 0.0

    def happened(self, kind: str, now: float) -> list[ClockEvent]:
        """Something happened: a kind of the timeline. What came before users were hurt is no anchor."""
        events = self.tick(now)
        self._hurt = self._hurt or kind == "impact.started"
        for anchor in ANCHORS_OF.get(kind, ()) if self._hurt else ():
            self._anchors.setdefault(anchor, now)
        return events + self.tick(now)

    def measured(self, outage: Outage, now: float) -> list[ClockEvent]:
        """What the outage has done so far."""
        if self._applies_s is None and reaches(self.plan.only_if, outage):
            self._applies_s = now
        return self.tick(now)

    def published(self, audience: str, now: float) -> list[ClockEvent]:
        """A message to an audience went out; the first to the duty's audience is its notice."""
        events = self.tick(now)
        if audience == self._before:
            self._anchors.setdefault(self._duty.anchor, now)
        if audience == self.plan.audience and self.met_s is None and self._may_be_met(now):
            self.met_s = now
            if self.state == "running":
                events += self._meet(now)
        return events + self.tick(now)

    def tick(self, now: float) -> list[ClockEvent]:
        """Look at the clock."""
        events: list[ClockEvent] = []
        anchored_s = self._anchors.get(self._duty.anchor)
        if self.state == "not-started" and anchored_s is not None and self._applies_s is not None:
            started_s = max(anchored_s, self._applies_s)
            self.due_s = due_s(self.name, from_size(self._anchors, self._applies_s), self._days, self._starts)
            assert self.due_s is not None, "it has its anchor"
            self.state = "running"
            events.append(self._event(started_s, "started"))
            if self.met_s is not None:
                events += self._meet(now)
        if self.state == "running" and self.due_s is not None and now > self.due_s + SAME_INSTANT_S:
            self.state = "late"
            events.append(self._event(now, "late"))
        return events

    def next_at(self) -> float | None:
        """When it may next change by itself."""
        return self.due_s + 2 * SAME_INSTANT_S if self.state == "running" and self.due_s is not None else None

    def _may_be_met(self, now: float) -> bool:
        """A notice that follows another one cannot come before it."""
        if self._duty.anchor not in NOTICE_BEFORE:
            return True
        anchored_s = self._anchors.get(self._duty.anchor)
        return anchored_s is not None and now > anchored_s

    def _meet(self, now: float) -> list[ClockEvent]:
        assert self.due_s is not None
        assert self.met_s is not None
        self.state = "met"
        return [self._event(now, "met", self.due_s - self.met_s)]

    def _event(self, at: float, change: Literal["started", "met", "late"], margin_s: float | None = None) -> ClockEvent:
        assert self.due_s is not None
        return ClockEvent(at, change, self.name, self._duty.instrument, self._duty.anchor, self.due_s, margin_s)
