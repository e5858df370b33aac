"""The archive of messages: kept by the tool, or copied by the scribe when there is time."""

from __future__ import annotations

from gameday.human_factors import ACTION, STRESS_HIGH, probability
from sim.day import Day
from sim.people.cast import LATER, Cast
from sim.people.incident import Incident
from sim.people.roles import Roles
from sim.processes import Process

FORGOTTEN = probability(ACTION, STRESS_HIGH)
"""A message that is to be copied is not."""
SCRIBE = "scribe"
LOOK_EVERY_S = 15.0


class Archive:
    """Keeps messages."""

    def __init__(self, day: Day, cast: Cast, roles: Roles) -> None:
        self._world = day.world
        self._cast = cast
        self._roles = roles
        self._plan = day.world.scenario.communication
        self._turns = 0

    def keep(self, incident: Incident, audience: str, message: str) -> None:
        """A message was published."""
        if self._plan.archive == "automatic":
            self._put(incident, audience, message, "tool")
        else:
            self._turns += 1
            self._world.env.process(self._copy(incident, audience, message, self._turns))

    def _copy(self, incident: Incident, audience: str, message: str, turn: int) -> Process:
        """Whoever keeps the log copies it after everything more urgent, as long as they are there."""
        while (scribe := self._roles.holder(incident, SCRIBE)) is None:
            yield self._world.env.timeout(LOOK_EVERY_S)
        if self._cast.chance(scribe, "forgets to copy") < FORGOTTEN:
            return
        copying = self._cast.draw(scribe, self._plan.copying, "copy")
        with self._cast.members[scribe].attention.request(priority=LATER + turn) as mine:
            yield mine
            yield self._world.env.timeout(copying)
        if not incident.over:
            self._put(incident, audience, message, scribe)

    def _put(self, incident: Incident, audience: str, message: str, by: str) -> None:
        del incident
        self._world.record("message.archived", f"audience/{audience}", message=message, audience=audience, by=by)
