"""Who is called, and who is called next when nobody answers: escalation policies and on-call rotas.

    machine = EscalationMachine(policy, directory.resolve, "page/1")
    decisions = machine.start(now)                   # Call(level 1)
    decisions = machine.tick(machine.next_at())      # nobody answered: Escalated(1 -> 2), Call(level 2)
    machine.acknowledge(now, "ana")                  # it stops

The rule that surprises: an acknowledgement stops the escalation, not the page; a page that nobody acknowledged after the last repeat
is given up, which is a decision of its own and never silent. A level at which nobody can be found is passed over at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from gameday.instants import reached
from gameday.people import WeeklyHours, wall_time, zone
from gameday.rotas import rota, weekly_hours

if TYPE_CHECKING:
    from gameday.scenario.response import Escalation, Response

DEFAULT_ESCALATION = "default"

Resolve = Callable[[str, float], Sequence[str]]
"""People behind `rota/x`, `person/x` or `team/x` at an instant."""
UrgentFrom = Callable[[float], float]
"""From when on a page that is sent at an instant is urgent; the instant itself where it is at once."""
Urgency = Literal["high", "low"]
PageState = Literal["new", "waiting", "acknowledged", "ended", "gave_up"]


@dataclass(frozen=True, slots=True)
class Call:
    """Page these people now: one `page.sent` each."""

    at: float
    page: str
    level: int
    """Counted from 1."""
    round: int
    """1 the first time through the levels, 2 the second ..."""
    people: tuple[str, ...]
    targets: tuple[str, ...]
    """What they were found by, e.g. `rota/shop`."""
    urgency: Urgency = "high"
    number: int = 1
    """Which call of the page it is."""


@dataclass(frozen=True, slots=True)
class Escalated:
    """The page goes on to another level: `page.escalated`."""

    at: float
    page: str
    from_level: int
    to_level: int
    round: int
    """Round of the level it goes to."""
    why: str


@dataclass(frozen=True, slots=True)
class GaveUp:
    """Nobody is called any more: the last level of the last round was not answered."""

    at: float
    page: str
    level: int
    why: str


Decision = Call | Escalated | GaveUp


class EscalationMachine:
    """One page on its way through an escalation policy; told the time, acknowledgements, and the end of the alerts."""

    def __init__(self, policy: Escalation, resolve: Resolve, page_id: str, urgent_from: UrgentFrom = lambda now: now) -> None:
        """`resolve` is asked at the moment of each call, so that a hand-over in between is seen. A page that is not urgent yet calls
        its first level, waits without escalating, and begins anew when it becomes urgent.
        """
        self.page_id = page_id
        self.state: PageState = "new"
        self.called: tuple[str, ...] = ()
        """Everybody called so far, in order, each once."""
        self.acknowledged_by: str | None = None
        self.calls = 0
        """Calls made so far."""
        self._levels = policy.levels
        self._rounds = policy.repeat + 1
        self._resolve = resolve
        self._step = 0
        """Levels entered so far, over all rounds, minus one."""
        self._due_s: float | None = None
        self._urgent_from = urgent_from
        self._timeout_s = policy.acknowledgement_timeout
        self._quiet = False
        """Whether it waits to become urgent."""

    @property
    def level(self) -> int:
        """The current level, counted from 1."""
        return self._step % len(self._levels) + 1

    @property
    def round(self) -> int:
        """The current round, counted from 1."""
        return self._step // len(self._levels) + 1

    def start(self, now: float) -> list[Decision]:
        """Call the first level."""
        assert self.state == "new", "a page is started once"
        self.state = "waiting"
        urgent_s = self._urgent_from(now)
        if reached(urgent_s, now):
            return self._enter(now)
        self._quiet, self._due_s = True, urgent_s
        people = self._people(now)
        if not people:
            return []
        self.called = people
        return [self._call(now, people, "low")]

    def tick(self, now: float) -> list[Decision]:
        """Go on when the time of the current level is over; otherwise decide nothing."""
        if self._due_s is None or not reached(self._due_s, now):
            return []
        if self._quiet or self.state == "acknowledged":
            why = "it has become urgent" if self._quiet else "acknowledged, and not over in time"
            self._quiet, self.state, self.acknowledged_by = False, "waiting", None
            return [Escalated(now, self.page_id, self.level, self.level, self.round, why), *self._enter(now)]
        return self._leave(now, "not acknowledged in time")

    def escalate(self, now: float, why: str) -> list[Decision]:
        """Go on at once: somebody who was called says they cannot help."""
        return self._leave(now, why) if self.state == "waiting" else []

    def acknowledge(self, now: float, person: str) -> bool:
        """Somebody takes the page, even after it was given up; False when it was taken or over already."""
        assert person in self.called, f"{person} was never called about {self.page_id}"
        if self.state not in {"waiting", "gave_up"}:
            return False
        self.state = "acknowledged"
        self.acknowledged_by = person
        self._quiet = False
        self._due_s = None if self._timeout_s is None else now + self._timeout_s
        return True

    def end(self) -> None:
        """The alerts are over: nobody needs to be called any more."""
        if self.state != "acknowledged":
            self.state = "ended"
        self._due_s = None

    def next_at(self) -> float | None:
        """When it wants to be asked next; None when it only waits for people."""
        return self._due_s

    def _leave(self, now: float, why: str) -> list[Decision]:
        from_level = self.level
        if self._step + 1 >= self._rounds * len(self._levels):
            return [self._give_up(now, why)]
        self._step += 1
        return [Escalated(now, self.page_id, from_level, self.level, self.round, why), *self._enter(now)]

    def _enter(self, now: float) -> list[Decision]:
        """Call the people of the current level, or of the first one after it that has any."""
        passed: list[Decision] = []
        for _ in range(self._rounds * len(self._levels)):
            level = self._levels[self._step % len(self._levels)]
            people = self._people(now)
            if people:
                self.called = tuple(dict.fromkeys((*self.called, *people)))
                self._due_s = now + level.after
                return [*passed, self._call(now, people, "high")]
            why = f"nobody is behind {' or '.join(level.notify)}"
            if self._step + 1 >= self._rounds * len(self._levels):
                return [*passed, self._give_up(now, why)]
            from_level = self.level
            self._step += 1
            passed.append(Escalated(now, self.page_id, from_level, self.level, self.round, why))
        raise AssertionError("a policy has a last level")

    def _call(self, now: float, people: tuple[str, ...], urgency: Urgency) -> Call:
        self.calls += 1
        targets = tuple(self._levels[self._step % len(self._levels)].notify)
        return Call(now, self.page_id, self.level, self.round, people, targets, urgency, self.calls)

    def _people(self, now: float) -> tuple[str, ...]:
        """Who is behind the current level, each once."""
        level = self._levels[self._step % len(self._levels)]
        return tuple(dict.fromkeys(person for target in level.notify for person in self._resolve(target, now)))

    def _give_up(self, now: float, why: str) -> GaveUp:
        self.state = "gave_up"
        self._due_s = None
        return GaveUp(now, self.page_id, self.level, why)


class Directory:
    """Who is behind a name at an instant of the run: `rota/x`, `person/x`, `team/x`; and which policy a team has."""

    def __init__(self, response: Response, starts: datetime) -> None:
        """`starts`: wall time of instant 0, with its offset."""
        assert starts.tzinfo is not None, "the start of a run carries its offset from UTC"
        self._response = response
        self._starts = starts
        self.rotas = {name: rota(model, response, starts) for name, model in response.rotas.items()}

    def wall(self, now: float) -> datetime:
        """Wall time (UTC) of an instant."""
        return wall_time(self._starts, now)

    def resolve(self, target: str, now: float) -> tuple[str, ...]:
        """People behind a target, in order. Targets are checked when the scenario is loaded; an unknown one is a bug."""
        kind, _, name = target.partition("/")
        match kind:
            case "rota":
                return self.rotas[name].on_call(self.wall(now))
            case "team":
                return tuple(self._response.teams[name].members)
            case "person":
                assert name in self._response.people, f"{target} is not in the cast"
                return (name,)
        raise AssertionError(f"{target} is neither rota/x, person/x nor team/x")

    def urgent_from(self, team: str | None, rules: Sequence[str], now: float) -> float:
        """From when on a page to a team about some rules is urgent: at once, or when the team's support hours begin."""
        known = self._response.teams.get(team) if team else None
        hours = known.support_hours if known else None
        if hours is None or set(rules) & set(hours.always):
            return now
        week = weekly_hours(hours.days, hours.starts, hours.ends, zone(hours.timezone))
        at = self.wall(now)
        return now if week.contains(at) else now + (next_start(week, at) - at).total_seconds()

    def policy_of(self, team: str | None) -> tuple[str, Escalation] | None:
        """Name and policy that a team's pages follow: its own, else `default`; None when neither exists."""
        policies = self._response.escalations
        known = self._response.teams.get(team) if team else None
        name = (known.escalation if known else None) or DEFAULT_ESCALATION
        return (name, policies[name]) if name in policies else None


def next_start(hours: WeeklyHours, at: datetime) -> datetime:
    """The first minute after an instant outside the hours that lies in them; found within eight days, or there are none."""
    minute = at.replace(second=0, microsecond=0)
    for _ in range(8 * 24 * 60):
        minute += timedelta(minutes=1)
        if hours.contains(minute):
            return minute
    raise AssertionError("support hours that are never are refused when a scenario is checked")
