"""Who is on call: turns, layers of turns, hours, shifts from a calendar, overrides; and when nobody is.

    overrides        last one first: instead of everybody, or of one person
    shifts           from a calendar, written down one by one
    layers           a later one before the earlier ones, each within its hours
    turns            the rota's own people

The rule that surprises: a gap is an answer (`()`), not an error. Whoever asks has to say that nobody was paged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING

from gameday.people import WeeklyHours, minute_of_day, zone

if TYPE_CHECKING:
    from gameday.scenario.oncall import Hours, Layer, Rota
    from gameday.scenario.response import Response

TURN_STARTS = time(9, 0)
"""Local time on Monday at which the first turn of a rota begins, where the scenario does not say."""
LOOK_EVERY = timedelta(minutes=1)
"""Resolution in which gaps are looked for."""


@dataclass(frozen=True, slots=True)
class Turns:
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


@dataclass(frozen=True, slots=True)
class Stretch:
    """From an instant (included) to another (excluded); an open end is None."""

    starts: datetime | None
    ends: datetime | None

    def contains(self, at: datetime) -> bool:
        """Whether an instant lies in it."""
        return (self.starts is None or self.starts <= at) and (self.ends is None or at < self.ends)


@dataclass(frozen=True, slots=True)
class RotaLayer:
    """Turns within hours, for a time."""

    turns: Turns
    only: tuple[WeeklyHours, ...]
    """Hours to which they are restricted; none = all."""
    valid: Stretch

    def on_call(self, at: datetime) -> str | None:
        """Who has the turn, or None outside its hours."""
        if not self.valid.contains(at) or (self.only and not any(hours.contains(at) for hours in self.only)):
            return None
        return self.turns.on_call(at)


@dataclass(frozen=True, slots=True)
class RotaOverride:
    """Somebody else for a while."""

    when: Stretch
    person: str | None
    instead_of: str | None


@dataclass(frozen=True, slots=True)
class OnCall:
    """A whole rota."""

    layers: tuple[RotaLayer, ...]
    """Lowest first."""
    shifts: tuple[tuple[Stretch, str], ...] = ()
    overrides: tuple[RotaOverride, ...] = ()

    def on_call(self, at: datetime) -> tuple[str, ...]:
        """Who is on call at an instant, in order; nobody in a gap."""
        people = self._planned(at)
        for override in self.overrides:
            if not override.when.contains(at):
                continue
            put = () if override.person is None else (override.person,)
            if override.instead_of is None:
                people = put
            elif override.instead_of in people:
                people = tuple(one for person in people for one in (put if person == override.instead_of else (person,)))
        return tuple(dict.fromkeys(people))

    def gaps(self, starts: datetime, ends: datetime) -> list[tuple[datetime, datetime]]:
        """When nobody is on call between two instants, to the minute; the ends are excluded."""
        found: list[tuple[datetime, datetime]] = []
        began: datetime | None = None
        at = starts
        while at < ends:
            if self.on_call(at):
                if began is not None:
                    found.append((began, at))
                began = None
            elif began is None:
                began = at
            at += LOOK_EVERY
        return found if began is None else [*found, (began, ends)]

    @property
    def may_have_gaps(self) -> bool:
        """False where some turns have no hours and no end, and nothing takes anybody out."""
        whole = any(not layer.only and layer.valid == Stretch(None, None) for layer in self.layers)
        return not whole or any(override.person is None for override in self.overrides)

    def _planned(self, at: datetime) -> tuple[str, ...]:
        shifts = tuple(person for when, person in self.shifts if when.contains(at))
        if shifts:
            return shifts
        return next(((person,) for layer in reversed(self.layers) if (person := layer.on_call(at)) is not None), ())


def rota(model: Rota, response: Response, starts: datetime) -> OnCall:
    """The rota of a scenario. Its zone is its own or that of its first person; turns without a start of their own begin on Monday
    09:00 of the week of the run.
    """
    local = zone(rota_timezone(model, response))
    here = starts.astimezone(local)
    monday = datetime.combine(here.date() - timedelta(days=here.weekday()), TURN_STARTS, local)
    layers = [_layer(layer, local, monday) for layer in model.layers]
    if model.people:
        first = monday if model.starts is None else instant(model.starts, local)
        own = RotaLayer(Turns(tuple(model.people), model.shift, first), weekly(model.only, local), Stretch(None, None))
        layers.insert(0, own)
    shifts = tuple((_stretch(one.starts, one.ends, local), one.person) for one in model.shifts or ())
    overrides = tuple(RotaOverride(_stretch(one.starts, one.ends, local), one.person, one.instead_of) for one in model.overrides)
    return OnCall(tuple(layers), shifts, overrides)


def rota_timezone(model: Rota, response: Response) -> str:
    """Name of the zone of a rota's clock."""
    if model.timezone is not None:
        return model.timezone
    people = [*model.people, *(person for layer in model.layers for person in layer.people)]
    people += [shift.person for shift in model.shifts or ()]
    return response.people[people[0]].timezone if people and people[0] in response.people else "UTC"


def instant(text: str, local: tzinfo) -> datetime:
    """An ISO date and time; without an offset it is wall time in the zone. Raises ValueError."""
    written = datetime.fromisoformat(text)
    return written.replace(tzinfo=local) if written.tzinfo is None else written.astimezone(local)


def weekly(hours: Sequence[Hours], local: tzinfo) -> tuple[WeeklyHours, ...]:
    """Hours of a scenario on a clock."""
    return tuple(weekly_hours(one.days, one.starts, one.ends, local) for one in hours)


def weekly_hours(days: Sequence[str], starts: str, ends: str, local: tzinfo) -> WeeklyHours:
    """Hours of some days, days by their short English names."""
    from gameday.scenario.oncall import WEEKDAYS

    names: Sequence[str] = WEEKDAYS
    return WeeklyHours(local, minute_of_day(starts), minute_of_day(ends), frozenset(names.index(day) for day in days))


def _layer(model: Layer, local: tzinfo, monday: datetime) -> RotaLayer:
    first = monday if model.starts is None else instant(model.starts, local)
    turns = Turns(tuple(model.people), model.shift, first)
    return RotaLayer(turns, weekly(model.only, local), _stretch(model.since, model.until, local))


def _stretch(starts: str | None, ends: str | None, local: tzinfo) -> Stretch:
    found = [None if text is None else instant(text, local).astimezone(UTC) for text in (starts, ends)]
    return Stretch(found[0], found[1])
