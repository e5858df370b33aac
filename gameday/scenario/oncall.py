"""On-call rotas, the hours in which a team is urgent, and how people are reached.

The words are those of PagerDuty's schedules (layers, restrictions, overrides) and GoAlert's contact methods.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gameday.scenario.base import Strict
from gameday.scenario.quantities import Duration
from gameday.scenario.system import Name

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ContactMethod = Literal["push", "sms", "voice", "email", "console"]


class Hours(Strict):
    """The same hours on some days of the week, on the rota's or team's clock."""

    days: Annotated[list[Weekday], Field(min_length=1)] = list(WEEKDAYS)
    """Days on which they begin."""
    starts: str = "00:00"
    """Local time, included."""
    ends: str = "24:00"
    """Local time, excluded; before the start = on the next day."""


class Layer(Strict):
    """A rotation that comes before the ones below it, at the times at which it has somebody."""

    people: Annotated[list[Name], Field(min_length=1)]
    """In order of their turns."""
    shift: Duration = 604_800.0
    """Length of a turn."""
    starts: str | None = None
    """Start of the first turn, ISO date and time; none = the start of the run's week (Monday 09:00)."""
    only: list[Hours] = []
    """Hours to which it is restricted; none = all hours."""
    since: str | None = None
    """ISO date and time from which the layer counts; none = always."""
    until: str | None = None
    """ISO date and time from which it counts no more; none = for ever."""


class Override(Strict):
    """Somebody else for a while: a swap, a holiday."""

    person: Name | None = None
    """Who is on call; none = whoever `instead_of` names is just not."""
    instead_of: Name | None = None
    """Only in place of this person, when it is their turn; none = in place of everybody."""
    starts: str
    """ISO date and time, included."""
    ends: str
    """ISO date and time, excluded."""


class Shift(Strict):
    """One stretch of a rota that is written down day by day."""

    person: Name
    """Who."""
    starts: str
    """ISO date and time, included."""
    ends: str
    """ISO date and time, excluded."""


class Rota(Strict):
    """People who take turns being on call. Where nobody is on call, nobody is paged: `gameday describe` shows such gaps."""

    people: list[Name] = []
    """In order of their turns."""
    shift: Duration = 604_800.0
    """Length of a turn."""
    starts: str | None = None
    """Start of the first turn, ISO date and time; none = the start of the run's week (Monday 09:00 of the first person)."""
    timezone: str | None = None
    """IANA time zone of its clock; none = that of the first person."""
    only: list[Hours] = []
    """Hours to which the turns are restricted; none = all hours."""
    layers: list[Layer] = []
    """Further rotations; a later one comes before the earlier ones."""
    calendar: str | None = None
    """iCalendar file (RFC 5545), relative to the file that names it: every event is a shift of the person whose name stands in its
    summary, or whose name or address is its attendee. Shifts come before all layers."""
    shifts: list[Shift] | None = None
    """Shifts themselves; filled from the calendar for the days of the run, so that a run folder is complete."""
    overrides: list[Override] = []
    """Exceptions; they come before everything, a later one before an earlier one."""


class SupportHours(Strict):
    """Hours in which a team's pages are urgent. Outside them a page is sent without a sound, escalates to nobody, and becomes urgent
    when the hours begin (PagerDuty: urgency by support hours)."""

    timezone: str
    """IANA time zone."""
    days: Annotated[list[Weekday], Field(min_length=1)] = ["mon", "tue", "wed", "thu", "fri"]
    """Days."""
    starts: str = "09:00"
    """Local time, included."""
    ends: str = "17:00"
    """Local time, excluded."""
    always: list[Name] = []
    """Alert rules that are urgent at any hour."""


class Contact(Strict):
    """One way to reach somebody, tried while the page still waits for them."""

    by: ContactMethod = "push"
    """How. console: the paging service's own screen, which they have before them, as on a live day."""
    after: Duration = 0.0
    """Time after the page was sent to them."""
