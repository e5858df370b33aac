"""Who is notified of which alerts, when, and in what groups: the routing tree, with Alertmanager's names, defaults and meaning.

Labels of alerts: `rule`, `severity`, `team`, `component`, `region`, `origin`, and those that rules are given with `labels`. What
Alertmanager calls `alertname` is `rule` here; `gameday import alertmanager` and `gameday export alertmanager` translate it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gameday.scenario.base import InWords, Strict
from gameday.scenario.quantities import Duration
from gameday.scenario.system import Name

LabelName = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$"), InWords("the name of a label: letters, digits and '_'")]
AnyName = Annotated[str, Field(min_length=1, max_length=200)]
"""Receivers and intervals keep the names they have in real files."""


class Clock(Strict):
    """Hours of a day."""

    start_time: str
    """`HH:MM`, included."""
    end_time: str
    """`HH:MM`, excluded; `24:00` is the end of the day."""


class TimeInterval(Strict):
    """One element of a time interval: all parts that are given must hold; a part without elements never would, and is refused."""

    times: list[Clock] | None = None
    """Hours of the day; hours over midnight are two entries."""
    weekdays: list[str] | None = None
    """`monday`, or `monday:friday`; the week begins on Sunday."""
    days_of_month: list[str | int] | None = None
    """`1`, `1:5`, or `-1` for the last."""
    months: list[str | int] | None = None
    """`march`, `3`, or `january:march`."""
    years: list[str | int] | None = None
    """`2026` or `2026:2027`."""
    location: str | None = None
    """IANA time zone whose clock counts; none = UTC."""


class Receiver(Strict):
    """Who or what is told."""

    kind: Literal["page", "ticket", "none"] = "page"
    """page goes to the escalation of the team, ticket waits to be read, none is told to nobody."""
    team: Name | None = None
    """Team that is told; none = the team of the alerts, each team in groups of its own."""
    send_resolved: bool = True
    """Whether it is told that alerts are over."""


class Route(Strict):
    """A node of the tree: what matches goes to its first child that matches, else to its own receiver."""

    receiver: AnyName | None = None
    """Receiver; none = the parent's."""
    matchers: list[str] = []
    """`team="payments"`, with `=`, `!=`, `=~` or `!~`; all must hold."""
    continues: bool = Field(default=False, alias="continue")
    """Whether the next sibling is asked too."""
    group_by: list[LabelName | Literal["..."]] = []
    """Labels that form a group; `[...]` = every alert alone; none = as the parent."""
    group_wait: Duration | None = None
    """Time before the first notification of a group; none = as the parent, at the top 30 s."""
    group_interval: Duration | None = None
    """Time before further alerts of a group are notified; none = as the parent, at the top 5 m."""
    repeat_interval: Duration | None = None
    """Time before the same notification is repeated; none = as the parent, at the top 4 h."""
    mute_time_intervals: list[AnyName] = []
    """Time intervals in which it is silent (not inherited)."""
    active_time_intervals: list[AnyName] = []
    """Time intervals in which alone it speaks; none = always (not inherited)."""
    routes: list[Route] = []
    """Children, in the order in which they are asked."""


class Routing(Strict):
    """A routing tree in place of `grouping`, which sends pages to the team of the alert and tickets to office hours."""

    receivers: Annotated[dict[AnyName, Receiver], Field(min_length=1)]
    """Receivers by name."""
    time_intervals: dict[AnyName, list[TimeInterval]] = {}
    """Time intervals by name; one of the elements must hold."""
    route: Route
    """The top of the tree: it takes every alert."""
