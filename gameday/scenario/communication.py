"""Who is told what, when, by whom, after whose approval.

Audiences, phases and approvals are policy data; the messages are written from templates whose slots are filled with what the
team knows at that time, which is not always the truth.
"""

from __future__ import annotations

from typing import Literal

from gameday.scenario.base import Strict
from gameday.scenario.quantities import Duration, Money
from gameday.scenario.response import LogNormal
from gameday.scenario.system import Name

Phase = Literal["investigating", "identified", "monitoring", "resolved"]


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
    severities: list[Literal["sev1", "sev2", "sev3"]] = ["sev1", "sev2"]
    """Severities that require it."""


class Executive(Strict):
    """When executives are told."""

    exposure_above: Money | None = None
    """Money lost so far; none = not by money."""
    duration_above: Duration | None = None
    """Duration so far; none = not by duration."""


class StatusPage(Strict):
    """The public status page."""

    location: str = "outside"
    """Where it runs: `region/<name>`, `zone/<name>` or `outside`; on a failed place it cannot be updated."""
    automatic: bool = False
    """Whether the incident tool updates it; false: somebody retypes (slower)."""
    retype: LogNormal = LogNormal(median=120.0, sigma=0.6)
    """Time retyping takes. Assumption."""


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


class Communication(Strict):
    """The communication plan."""

    audiences: dict[Name, Audience] = {}
    """Who is told."""
    draft: LogNormal = LogNormal(median=240.0, sigma=0.5)
    """Time writing a message takes. Assumption."""
    approve: LogNormal = LogNormal(median=180.0, sigma=0.8)
    """Time one approval takes in office hours; asleep approvers must be paged first. Assumption."""
    templates: dict[Phase, str] = {}
    """Text per phase, with slots {service} {region} {started} {ended} {impact} {cause} {action} {next_update} {data_loss}."""
    executives: Executive = Executive()
    """When executives are told."""
    status_page: StatusPage = StatusPage()
    """The public status page."""
    clocks: dict[Name, RegulatoryClock] = {}
    """Regulatory clocks."""
    confirm_recovery: Duration = 300.0
    """Time the indicators must look good before `resolved` is published."""
