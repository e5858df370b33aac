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
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Literal

from gameday.instants import reached
from gameday.people import wall_time, zone

if TYPE_CHECKING:
    from gameday.scenario.response import Escalation, Response
    from gameday.scenario.response import Rota as RotaModel

DEFAULT_ESCALATION = "default"
TURN_STARTS = time(9, 0)
"""Local time on Monday at which the first turn of a rota begins, where the scenario does not say."""

Resolve = Callable[[str, float], Sequence[str]]
"""People behind `rota/x`, `person/x` or `team/x` at an instant."""
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

    def __init__(self, policy: Escalation, resolve: Resolve, page_id: str) -> None:
        """`resolve` is asked at the moment of each call, so that a hand-over in between is seen."""
        self.page_id = page_id
        self.state: PageState = "new"
        self.called: tuple[str, ...] = ()
        """Everybody called so far, in order, each once."""
        self.acknowledged_by: str | None = None
        self._levels = policy.levels
        self._rounds = policy.repeat + 1
        self._resolve = resolve
        self._step = 0
        """Levels entered so far, over all rounds, minus one."""
        self._due_s: float | None = None

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
        return self._enter(now)

    def tick(self, now: float) -> list[Decision]:
        """Go on when the time of the current level is over; otherwise decide nothing."""
        if self._due_s is None or not reached(self._due_s, now):
            return []
        return self._leave(now, "not acknowledged in time")

    def escalate(self, now: float, why: str) -> list[Decision]:
        """Go on at once: somebody who was called says they cannot help."""
        return self._leave(now, why) if self.state == "waiting" else []

    def acknowledge(self, now: float, person: str) -> bool:
        """Somebody takes the page, even after it was given up; False when it was taken or over already."""
        assert person in self.called, f"{person} was never called about {self.page_id}"
        del now
        if self.state not in {"waiting", "gave_up"}:
            return False
        self.state = "acknowledged"
        self.acknowledged_by = person
        self._due_s = None
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
            people = dict.fromkeys(person for target in level.notify for person in self._resolve(target, now))
            if people:
                self.called = tuple(dict.fromkeys((*self.called, *people)))
                self._due_s = now + level.after
                return [*passed, Call(now, self.page_id, self.level, self.round, tuple(people), tuple(level.notify))]
            why = f"nobody is behind {' or '.join(level.notify)}"
            if self._step + 1 >= self._rounds * len(self._levels):
                return [*passed, self._give_up(now, why)]
            from_level = self.level
            self._step += 1
            passed.append(Escalated(now, self.page_id, from_level, self.level, self.round, why))
        raise AssertionError("a policy has a last level")

    def _give_up(self, now: float, why: str) -> GaveUp:
        self.state = "gave_up"
        self._due_s = None
        return GaveUp(now, self.page_id, self.level, why)


@dataclass(frozen=True, slots=True)
class Rota:
    """People who take turns; hand-overs keep their local wall time when the clocks change.

    A turn over the change is an hour longer or shorter. A hand-over at 02:30 in the night that skips 02:00 to 03:00 happens at 03:30;
    one at a time that comes twice happens the first time.
    """

    people: tuple[str, ...]
    shift_s: float
    first_turn: datetime
    """Start of the first turn, local wall time with its zone; before it the turns run backwards."""

    def on_call(self, at: datetime) -> str:
        """Who has the turn at an instant."""
        return self.people[self._turn(at) % len(self.people)]

    def next_handover(self, after: datetime) -> datetime:
        """The first hand-over later than an instant, UTC."""
        return self._starts(self._turn(after) + 1)

    def _turn(self, at: datetime) -> int:
        local = at.astimezone(self.first_turn.tzinfo).replace(tzinfo=None, fold=0)
        turn = int((local - self.first_turn.replace(tzinfo=None)).total_seconds() // self.shift_s)
        # Wall time jumps twice a year; the start of a turn as an instant decides.
        while self._starts(turn) > at:
            turn -= 1
        while self._starts(turn + 1) <= at:
            turn += 1
        return turn

    def _starts(self, turn: int) -> datetime:
        return (self.first_turn + timedelta(seconds=turn * self.shift_s)).replace(fold=0).astimezone(UTC)


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
                return (self.rotas[name].on_call(self.wall(now)),)
            case "team":
                return tuple(self._response.teams[name].members)
            case "person":
                assert name in self._response.people, f"{target} is not in the cast"
                return (name,)
        raise AssertionError(f"{target} is neither rota/x, person/x nor team/x")

    def policy_of(self, team: str | None) -> tuple[str, Escalation] | None:
        """Name and policy that a team's pages follow: its own, else `default`; None when neither exists."""
        policies = self._response.escalations
        known = self._response.teams.get(team) if team else None
        name = (known.escalation if known else None) or DEFAULT_ESCALATION
        return (name, policies[name]) if name in policies else None


def rota(model: RotaModel, response: Response, starts: datetime) -> Rota:
    """The rota of a scenario. Its zone is that of its first person; without a start of its own it starts on Monday 09:00 of the
    week of the run.
    """
    local = zone(response.people[model.people[0]].timezone)
    if model.starts is None:
        here = starts.astimezone(local)
        first = datetime.combine(here.date() - timedelta(days=here.weekday()), TURN_STARTS, local)
    else:
        written = datetime.fromisoformat(model.starts)
        first = written.replace(tzinfo=local) if written.tzinfo is None else written.astimezone(local)
    return Rota(tuple(model.people), model.shift, first)
