"""Who is told what, when, by whom, after whose approval.

Audiences, phases and approvals are policy data; the messages are written from templates whose slots are filled with what the
team knows at that time, which is not always the truth.
"""

from __future__ import annotations

from typing import Literal

from gameday.scenario.base import Strict
from gameday.scenario.quantities import Duration, Money, Ratio
from gameday.scenario.regulation import Regulation
from gameday.scenario.spread import LogNormal
from gameday.scenario.status import StatusPage
from gameday.scenario.system import Name

Phase = Literal["investigating", "scoping", "identified", "monitoring", "resolved"]
SeverityLevel = Literal["sev1", "sev2", "sev3"]


class Pace(Strict):
    """Promises of an audience at one severity."""

    first_within: Duration | None = None
    """Promised time to the first message; none = that of the audience."""
    every: Duration | None = None
    """Promised time between updates; none = that of the audience."""


class Audience(Strict):
    """Somebody who must be told."""

    channel: Name
    """Where: status_page, email, chat, phone …"""
    external: bool = False
    """Whether it is outside the organisation: then approvals and spokespersons apply."""
    author: Name = "communications"
    """Role that writes."""
    spokespersons: list[Name] = []
    """Roles allowed to publish; none = the author's role."""
    approvals: list[Name] = []
    """Roles that must approve before publication, in order."""
    first_within: Duration = 900.0
    """Promised time from the declaration to the first message."""
    every: Duration | None = 1800.0
    """Promised time between updates; none = only on a change of phase."""
    severities: list[SeverityLevel] = ["sev1", "sev2"]
    """Severities that require it."""
    by_severity: dict[SeverityLevel, Pace] = {}
    """Other promises at a severity, e.g. `sev1: {first_within: 5m, every: 20m}` (PagerDuty: first post within 5 minutes, then every 20)."""

    def pace(self, severity: SeverityLevel | None) -> tuple[float, float | None]:
        """Promised time to the first message and between updates, at a severity."""
        own = self.by_severity.get(severity) if severity is not None else None
        first = self.first_within if own is None or own.first_within is None else own.first_within
        return first, self.every if own is None or own.every is None else own.every


class Inquiries(Strict):
    """Questions from outside while users are hurt."""

    customers: Ratio = 0.002
    """Share of lost requests after which a customer asks support. Assumption."""
    support: Literal["status", "memory"] = "status"
    """Where support has its answer from: the published status, or what it was last told (audience `support`)."""
    press_every: Duration | None = None
    """Mean time between questions of the press; none = no press."""
    press: Literal["spokespersons", "anyone"] = "spokespersons"
    """Who answers the press: a spokesperson with the published status, or whoever they reach with what they believe."""
    answer: LogNormal = LogNormal(median=120.0, sigma=0.6)
    """Time an answer takes. Assumption."""


class Executive(Strict):
    """When executives are told."""

    exposure_above: Money | None = None
    """Money lost so far, and expected to be lost where `expected_duration` is set; none = not by money."""
    expected_duration: Duration | None = None
    """How long an incident is expected to last: the loss of the last minute is taken to go on until then; none = only what is lost
    already. Median of published cloud incidents from impact to mitigation: 98 min (ISSRE 2022 collection)."""
    duration_above: Duration | None = None
    """Duration so far; none = not by duration."""


class RegulatoryClock(Strict):
    """A notification duty with a deadline. Not legal advice."""

    regime: str
    """Law and article, e.g. `NIS2 Art. 23(4)(a)`."""
    anchor: Literal["impact.started", "page.acknowledged", "incident.declared"] = "incident.declared"
    """Event whose time starts the clock."""
    within: Duration
    """Time allowed."""
    audience: Name
    """Audience whose first message meets it."""
    when_impact_longer_than: Duration = 0.0
    """Duration of impact from which the duty exists."""
    asks: bool = False
    """Whether its start asks for the message to its audience; false: that audience is told by severity only."""


class Communication(Strict):
    """The communication plan."""

    audiences: dict[Name, Audience] = {}
    """Who is told."""
    draft: LogNormal = LogNormal(median=240.0, sigma=0.5)
    """Time writing a message takes. Assumption."""
    approve: LogNormal = LogNormal(median=180.0, sigma=0.8)
    """Time one approval takes in office hours; asleep approvers must be paged first. Assumption."""
    reminders: Literal["tool", "people"] = "tool"
    """Who minds when the next message is due: the incident tool, or people: the deputy, else the commander, who look at the clock when
    nothing else has their attention."""
    written: Literal["templates", "memory"] = "templates"
    """Whether messages are written from templates. From memory a sentence is left out, or a promise slips in, with SPAR-H's probability of
    an action without a procedure under stress; whoever approves it may see that and send it back."""
    templates: dict[Phase, str] = {}
    """Text per phase, with slots {service} {region} {started} {ended} {impact} {cause} {action} {next_update} {data_loss}."""
    executives: Executive = Executive()
    """When executives are told."""
    status_page: StatusPage = StatusPage()
    """The public status page."""
    inquiries: Inquiries | None = None
    """Questions from outside; none = nobody asks."""
    archive: Literal["automatic", "by_hand"] = "automatic"
    """Whether the tool keeps every message, or the scribe copies it when there is time."""
    copying: LogNormal = LogNormal(median=60.0, sigma=0.5)
    """Time copying a message to the archive takes. Assumption."""
    chat_location: str = "outside"
    """Where the chat runs: `region/<name>`, `zone/<name>` or `outside`; on a failed place nothing is said on channel `chat`."""
    clocks: dict[Name, RegulatoryClock] = {}
    """Regulatory clocks."""
    regulation: Regulation = Regulation()
    """Notices due by law."""
    scoping: bool = False
    """Whether the first message says only that something is wrong, and a second one who is affected and where, once that is known
    (`response.timing.scope`); false: it is known from the first message on."""
    confirm_recovery: Duration = 300.0
    """Time the indicators must look good before `resolved` is published."""
