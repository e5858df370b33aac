"""The scenario: one game day, as it was written."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from gameday.scenario.base import Strict
from gameday.scenario.communication import Communication
from gameday.scenario.load import Load
from gameday.scenario.monitoring import Monitoring
from gameday.scenario.objectives import Objective
from gameday.scenario.policies import Policies
from gameday.scenario.quantities import Duration
from gameday.scenario.response import Response
from gameday.scenario.schedule import Schedule
from gameday.scenario.system import Name, System


class PublishedTimeline(Strict):
    """A real incident the scenario is rebuilt from: its published times are shown beside the simulated ones."""

    incident: str
    """Which incident."""
    source: str
    """Where its times were published."""
    milestones: dict[Name, Duration]
    """Milestone to time from the start of impact: detected, declared, first_public_update, failover, mitigated, resolved."""
    notes: str | None = None
    """What the scenario leaves out."""


class Scenario(Strict):
    """A game day."""

    gameday: Annotated[int, Field(ge=1, le=1)]
    """Version of the scenario language: 1."""
    name: Name
    """Name; run folders are called after it."""
    title: str
    """One line."""
    teaches: str
    """What a team learns from it: a paragraph."""
    starts: AwareDatetime
    """Date and time at the start, with offset: it decides who is asleep."""
    duration: Duration
    """Length of the day."""
    warmup: Duration = 60.0
    """Time before anything is judged: queues fill, windows fill."""
    replications: Annotated[int, Field(ge=1, le=1_000_000)] = 40
    """Replications when the command line does not say; from 36 on, a p90 has an interval with two ends."""
    live_every: Duration | None = None
    """How often the day is to be played live, e.g. `90d`; `gameday check` shows a newest live run that is older as expired."""
    system: System
    """What can break."""
    load: Load
    """Who asks for what."""
    schedule: Schedule = Schedule()
    """What breaks when."""
    policies: Policies = Policies()
    """What is done about it by machines."""
    monitoring: Monitoring = Monitoring()
    """How it is noticed."""
    response: Response = Response()
    """Who responds."""
    communication: Communication = Communication()
    """Who is told."""
    objectives: list[Objective] = []
    """What the day must show."""
    published: PublishedTimeline | None = None
    """The real incident it is rebuilt from."""
