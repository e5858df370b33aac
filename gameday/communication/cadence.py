"""When the next message to each audience is due.

    cadence = Cadence(scenario.communication)
    cadence.declared(now, "sev1")                     # first messages are due within each audience's promise
    for ask in cadence.asks(cadence.next_at()): ...   # write, have approved, publish
    cadence.published(now, "customers", "investigating", promised_s=now + 1200)

The rule that surprises: an audience that was told that something is wrong is owed its end. It keeps its last message even when the
severity falls below what it asked for; what it loses are the updates in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gameday.communication.severity import SeverityLevel
from gameday.instants import earliest, reached

if TYPE_CHECKING:
    from gameday.scenario.communication import Audience, Communication, Phase

Why = Literal["first", "phase", "interval", "promise"]
EXECUTIVES = "executives"
"""Name of the audience that `communication.executives` is about."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A message is wanted."""

    at: float
    """When it was asked for."""
    audience: str
    phase: Phase
    """Phase it must speak about."""
    due_s: float
    """When it must be out."""
    why: Why


@dataclass(slots=True)
class _Told:
    """What one audience has been told and is owed."""

    policy: Audience
    required_since_s: float | None = None
    last_s: float | None = None
    last_phase: Phase | None = None
    promised_s: float | None = None
    asked: tuple[Phase, Why] | None = None
    """The open request: it is not asked for twice."""
    done: bool = False


class Cadence:
    """The messages of one incident; told what happens and what was published."""

    def __init__(self, plan: Communication, *, lead_s: float = 0.0) -> None:
        """`lead_s`: how long before it is due a message is asked for, i.e. the time that writing and approving it usually take."""
        self._told = {name: _Told(audience) for name, audience in plan.audiences.items()}
        self._executives = plan.executives
        self._lead_s = lead_s
        self._now_s = 0.0
        self._declared_s: float | None = None
        self._impact_since_s: float | None = None
        self._severity: SeverityLevel | None = None
        self._phase: Phase = "investigating"
        self._phase_since_s = 0.0
        self._resolved = False
        self._exposed = False

    def declared(self, now: float, severity: SeverityLevel, impact_since_s: float | None = None) -> None:
        """The incident is declared; `impact_since_s` (default: now) is what its duration is counted from."""
        assert self._declared_s is None, "an incident is declared once; a new one has a cadence of its own"
        self._declared_s = now
        self._impact_since_s = now if impact_since_s is None else impact_since_s
        self._phase_since_s = now
        self.severity(now, severity)

    def severity(self, now: float, severity: SeverityLevel) -> None:
        """The severity is set; an audience that becomes concerned is promised its first message from now on."""
        assert self._declared_s is not None, "an incident has a severity once it is declared"
        self._at(now)
        self._severity = severity
        for name, told in self._told.items():
            concerned = severity in told.policy.severities or (name == EXECUTIVES and self._is_for_executives())
            if concerned and told.required_since_s is None:
                told.required_since_s = now
            elif not concerned and told.last_s is None:
                told.required_since_s = told.asked = None

    def phase(self, now: float, phase: Phase) -> None:
        """The incident enters a phase: every audience that knows of it is told at once."""
        self._at(now)
        if phase != self._phase:
            self._phase, self._phase_since_s = phase, now
            self._resolved = phase == "resolved"
            for told in self._told.values():
                # An incident that comes back is news to those who were told of its end.
                told.done = told.done and self._resolved

    def exposure(self, now: float, money: float) -> None:
        """Money lost so far; beyond `communication.executives.exposure_above` the executives are told."""
        limit = self._executives.exposure_above
        self._exposed = self._exposed or (limit is not None and money > limit)
        self._at(now)

    def published(self, now: float, audience: str, phase: Phase, promised_s: float | None = None) -> None:
        """A message went out; `promised_s` is the instant it named for the next one. A promise in the past is due now."""
        self._at(now)
        told = self._told[audience]
        told.last_s, told.last_phase = now, phase
        told.promised_s = None if promised_s is None else max(promised_s, now)
        told.asked = None
        told.done = self._resolved and phase == "resolved"

    def asks(self, now: float) -> list[Ask]:
        """The messages to start on now, each once; one that was asked for is asked for anew only when the phase has changed."""
        self._at(now)
        found = []
        for name, told in self._told.items():
            owed = self._owed(told)
            if owed is None or not reached(owed[0] - self._lead_s, now):
                continue
            told.asked = (self._phase, owed[1])
            found.append(Ask(now, name, self._phase, *owed))
        return found

    def next_at(self) -> float | None:
        """When `asks` has something to say next; never before the last instant it was told of."""
        waiting = [self._executives_due_s()]
        for told in self._told.values():
            owed = self._owed(told)
            if owed is not None:
                waiting.append(owed[0] - self._lead_s)
        found = earliest(waiting)
        return None if found is None else max(found, self._now_s)

    def due(self, audience: str) -> tuple[float, Why] | None:
        """When the next message to an audience must be out, asked for or not, and why; None = nothing is owed."""
        return self._due(self._told[audience])

    def _owed(self, told: _Told) -> tuple[float, Why] | None:
        """What is due and not asked for yet."""
        due = self._due(told)
        return None if due is None or (told.asked is not None and told.asked[0] == self._phase) else due

    def _due(self, told: _Told) -> tuple[float, Why] | None:
        if told.required_since_s is None or told.done:
            return None
        if told.last_s is None:
            return (told.required_since_s + told.policy.pace(self._severity)[0], "first")
        is_executives = told is self._told.get(EXECUTIVES)
        concerned = self._severity in told.policy.severities or (is_executives and self._is_for_executives())
        if told.last_phase != self._phase and (concerned or self._resolved):
            return (max(self._phase_since_s, told.last_s), "phase")
        if not concerned:
            return None
        every_s = told.policy.pace(self._severity)[1]
        by_interval = None if every_s is None else told.last_s + every_s
        if told.promised_s is not None and (by_interval is None or told.promised_s <= by_interval):
            return (told.promised_s, "promise")
        return None if by_interval is None else (by_interval, "interval")

    def _at(self, now: float) -> None:
        assert reached(self._now_s, now), f"time went back from {self._now_s} to {now}"
        self._now_s = max(self._now_s, now)
        told = self._told.get(EXECUTIVES)
        if told is not None and told.required_since_s is None and self._declared_s is not None and self._is_for_executives():
            told.required_since_s = now

    def _is_for_executives(self) -> bool:
        """Whether the money lost or the duration so far concerns the executives, whatever the severity."""
        due_s = self._executives_by_duration_s()
        return self._exposed or (due_s is not None and reached(due_s, self._now_s))

    def _executives_by_duration_s(self) -> float | None:
        limit = self._executives.duration_above
        return None if limit is None or self._impact_since_s is None else self._impact_since_s + limit

    def _executives_due_s(self) -> float | None:
        """When the executives will be told because of the duration, unless they are already or the incident is over."""
        told = self._told.get(EXECUTIVES)
        if told is None or told.required_since_s is not None or self._resolved:
            return None
        return self._executives_by_duration_s()
