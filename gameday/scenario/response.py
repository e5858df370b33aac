"""Who responds: people, rotas, escalation, roles, runbooks, and how long the human phases take.

Durations are lognormal; every default names its source. Policies are about teams: no score is about a person.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gameday.scenario.base import Strict
from gameday.scenario.command import Command
from gameday.scenario.oncall import Contact, Rota, SupportHours, Weekday
from gameday.scenario.quantities import Duration, Ratio
from gameday.scenario.spread import LogNormal
from gameday.scenario.system import Name

Action = Literal["failover", "promote", "rollback", "restart", "scale_out", "disable_feature", "shift_traffic", "wait"]


class Person(Strict):
    """A member of the cast."""

    timezone: str = "UTC"
    """IANA time zone: decides night and day."""
    asleep: Annotated[list[str], Field(min_length=2, max_length=2)] = ["23:00", "07:00"]
    """Local time between which this person sleeps."""
    office: Annotated[list[str], Field(min_length=2, max_length=2)] = ["09:00", "17:00"]
    """Local time between which this person is at work. Public holidays are not known."""
    office_days: Annotated[list[Weekday], Field(min_length=1)] = ["mon", "tue", "wed", "thu", "fri"]
    """Days of work."""
    only_in_office: bool = False
    """Whether this person can be had for approvals, publications and roles in office hours only; false: they can be called at any hour, and
    woken. Pages go by the rota, whatever the hour."""
    knows: list[Name] = []
    """Services and databases this person knows well (SPAR-H experience: high)."""
    contacts: Annotated[list[Contact], Field(min_length=1, max_length=10)] = [Contact()]
    """How a page reaches this person, in order. PagerDuty's practice: push first, then text and calls a minute apart."""


class Team(Strict):
    """A team: who is in it, and how it is paged."""

    members: Annotated[list[Name], Field(min_length=1)]
    """People."""
    escalation: Name | None = None
    """Escalation policy of the team; none = `default`."""
    support_hours: SupportHours | None = None
    """Hours in which its pages are urgent; none = always."""


class Level(Strict):
    """One step of an escalation."""

    notify: Annotated[list[str], Field(min_length=1)]
    """Who is paged: `rota/<name>`, `person/<name>` or `team/<name>`."""
    after: Duration = 300.0
    """Time without an acknowledgement before the next step (PagerDuty's practice: 5 minutes)."""


class Escalation(Strict):
    """An escalation policy."""

    levels: Annotated[list[Level], Field(min_length=1, max_length=20)]
    """Steps, in order."""
    repeat: Annotated[int, Field(ge=0, le=9)] = 1
    """How often the steps are repeated."""
    acknowledgement_timeout: Duration | None = None
    """Time after which an acknowledged page whose alerts go on calls its level again; none = never (PagerDuty's default: 30 minutes)."""


class Runbook(Strict):
    """What to do about a kind of fault once it is understood."""

    action: Action
    """The mitigation."""
    minutes: LogNormal | None = None
    """Time it takes; none = by kind of action."""


class Timing(Strict):
    """Times of the human phases."""

    notice: LogNormal = LogNormal(median=120.0, sigma=0.9)
    """From the page to the acknowledgement by day. Assumption: no public distribution was found; fit it from your own pager."""
    notice_asleep: LogNormal = LogNormal(median=240.0, sigma=0.9)
    """The same for somebody asleep. Assumption, as above."""
    miss: Ratio = 0.05
    """Probability that a page is not noticed by day. Assumption."""
    miss_asleep: Ratio = 0.15
    """Probability that a page is not noticed asleep. Assumption."""
    engage: LogNormal = LogNormal(median=60.0, sigma=0.5)
    """From the acknowledgement to the keyboard by day. Assumption."""
    engage_asleep: LogNormal = LogNormal(median=360.0, sigma=0.5)
    """The same for somebody woken. Assumption."""
    diagnose: LogNormal = LogNormal(median=2655.0, sigma=1.22)
    """From the keyboard to the cause. exp(3.79) min = 44 min, sigma 1.22: 37 cloud incidents of the ISSRE 2022 collection
    (Post-mortems-Analysis); published post-mortems are the severe tail, so scenarios of practised faults set less."""
    wrong_turn: Ratio = 0.2
    """Probability that a tested hypothesis is wrong and costs another round. Assumption."""
    rounds: Annotated[int, Field(ge=1, le=20)] = 5
    """Most rounds of diagnosis."""
    decide: LogNormal = LogNormal(median=120.0, sigma=0.6)
    """From the cause to a decision. Assumption."""
    act: LogNormal = LogNormal(median=300.0, sigma=0.8)
    """From the decision to the action's effect, where the action has no time of its own. Assumption."""
    action_failure: Ratio = 0.02
    """Probability that an action fails and is tried again. SPAR-H nominal action error 0.001 x high stress and poor procedures."""
    assemble: LogNormal = LogNormal(median=600.0, sigma=0.8)
    """From the declaration to a team with its roles filled. Everbridge 2017: mean 27 min for major incidents."""
    sleep_inertia: Ratio = 0.25
    """Slowing of thinking right after waking; fades with `sleep_inertia_fades`. Assumption, range 0 to 0.5."""
    sleep_inertia_fades: Duration = 4200.0
    """Time constant of its fading: 1.17 h (Jewett 1999, cognitive throughput)."""
    tired_after: Duration = 36_000.0
    """Time at work in an incident from which somebody's fitness is degraded (SPAR-H: five times the chance of a wrong turn). The factor is
    SPAR-H's, ten hours are an assumption."""
    scope: LogNormal = LogNormal(median=180.0, sigma=0.5)
    """With `communication.scoping`: finding out who is affected and where, from the declaration. Assumption; PagerDuty's scoping post is due
    five minutes after the first one."""
    hand_over: LogNormal = LogNormal(median=600.0, sigma=0.5)
    """Handing an incident over to somebody who takes a role or the search over, who has to catch up meanwhile. Assumption."""
    brief: LogNormal = LogNormal(median=60.0, sigma=0.5)
    """Giving somebody who is there a task, or telling them how it stands: both do nothing else meanwhile. Assumption."""


class Response(Strict):
    """The people and what they go by."""

    people: dict[Name, Person] = {}
    """The cast."""
    teams: dict[Name, Team] = {}
    """Teams."""
    rotas: dict[Name, Rota] = {}
    """On-call rotas."""
    escalations: dict[Name, Escalation] = {}
    """Escalation policies; `default` is used where none is named."""
    roles: dict[Name, Annotated[list[Name], Field(min_length=1)]] = {}
    """Role to the people who may take it, in order. `incident_commander` decides; `deputy` stands beside and takes command when the
    commander cannot keep up; `operations` acts once it is decided, and where the list is empty-handed the commander does; `liaison` answers
    those who ask how it stands; `communications` writes; `scribe` keeps the log; executive, legal, pr and others are asked for their word."""
    declare_above: Ratio = 0.05
    """Share of lost requests of a critical class from which an incident is declared."""
    runbooks: dict[str, Runbook] = {}
    """Kind of fault (or `kind service/name`) to the mitigation."""
    candidates: bool = False
    """Whether responders are shown root-cause candidates, ranked from what monitoring measured, and test them in that order (needs the
    `analysis` extra). Without it, or where monitoring is blind, they follow their own hypotheses."""
    pager_limits: Literal["none", "goalert"] = "none"
    """How many messages the paging service sends to one person: `goalert` has the limits of GoAlert (one a minute per way of contact, 3
    calls or 5 texts in a quarter of an hour ...), so an alert storm loses pages."""
    command: Command = Command()
    """How incidents are led."""
    timing: Timing = Timing()
    """Times of the human phases."""
