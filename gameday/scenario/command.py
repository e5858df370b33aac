"""How an incident is led: the bridge, questions about the state, hand-overs in long incidents, checklists.

Nothing here shortens anything by itself. Each setting decides who is talked to and when, and whoever talks does nothing else meanwhile.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gameday.scenario.base import Strict
from gameday.scenario.quantities import Duration
from gameday.scenario.spread import LogNormal
from gameday.scenario.system import Name


class Bridge(Strict):
    """The call on which the incident is worked on."""

    join: list[Name] = []
    """People who come to it once it is declared, besides those in roles."""
    protocol: bool = False
    """Whether there is a protocol: everybody is muted, newcomers wait for the next summary, and the commander asks only for strong
    objections. Without one each newcomer asks the responder, and before a decision everybody says something."""
    summary_every: Duration = 600.0
    """With a protocol: how often the commander sums up."""
    briefing: LogNormal = LogNormal(median=60.0, sigma=0.5)
    """Telling somebody, or everybody, how it stands. Assumption."""
    comment: LogNormal = LogNormal(median=20.0, sigma=0.5)
    """What one person says about a proposal. Assumption."""


class StatusRequests(Strict):
    """Audiences inside the organisation that ask how it stands when they have not been told for a while."""

    every: Duration = 600.0
    """Mean time between the questions of one audience. Assumption."""
    answer: LogNormal = LogNormal(median=90.0, sigma=0.5)
    """Time an answer takes the commander, and the responder whom the commander has to ask. Assumption."""
    dashboard: bool = False
    """Whether they can see a live dashboard instead; they ask when it is blind."""


class Step(Strict):
    """One step before traffic may be moved."""

    name: str
    """What is done."""
    role: Name
    """Who owns it: a role, e.g. network or dns."""
    takes: LogNormal = LogNormal(median=120.0, sigma=0.5)
    """Time of the hands. Assumption."""


class Checklist(Strict):
    """Activation of a regional failover asked for by people: steps in order, each by its owner."""

    steps: Annotated[list[Step], Field(min_length=1, max_length=20)]
    """In order: a step begins when the one before is done."""
    written: bool = True
    """Whether it is written down: then all owners are called at once and no step is forgotten. From memory each owner is called when
    it turns out that they are needed, and a step is forgotten with SPAR-H's probability of an action without a procedure."""
    verify: LogNormal = LogNormal(median=120.0, sigma=0.5)
    """Looking whether it works, once all is done; a forgotten step is found then, made up for, and looked at again. Assumption."""


class Command(Strict):
    """How incidents are led."""

    bridge: Bridge | None = None
    """The bridge; none = people talk as little as if there were none."""
    status_requests: StatusRequests | None = None
    """Questions about the state; none = nobody asks."""
    rotate_after: Duration | None = None
    """Time after which commander and responder hand over to somebody who is rested, in the middle of what they do; none = they stay to the
    end."""
    deputy_after: Duration = 300.0
    """With a `deputy`: how long something may wait for the commander, or the commander's role for somebody of its list, until the deputy
    takes command. Assumption, with PagerDuty's five minutes for an unanswered page."""
    failover_checklist: Checklist | None = None
    """Steps before people move a region; none = they ask the controller at once."""
