"""The deputy: stands beside the commander, takes command when the commander cannot keep up, and minds the time of the next update.

The rule that surprises: a deputy makes nobody faster. What has waited for the commander goes on waiting for that person; what comes from
then on finds somebody whose attention is free.
"""

from __future__ import annotations

from sim.people.cast import LATER, Cast
from sim.people.incident import COMMANDER, Incident, IncidentDesk
from sim.people.roles import DEPUTY, Roles
from sim.processes import Process, Steps
from sim.world import World

LOOK_EVERY_S = 15.0
REMIND_S = 15.0
"""A look at the clock, and the word that a message is due. Assumption."""


class Deputy:
    """Watches the commander, and the clock."""

    def __init__(self, world: World, cast: Cast, desk: IncidentDesk, roles: Roles) -> None:
        self._world = world
        self._cast = cast
        self._roles = roles
        self._turns = 0
        if DEPUTY in cast.response.roles:
            desk.listeners.append(self._on_incident)

    def remind(self, incident: Incident) -> Steps[None]:
        """The time is minded by the deputy, else by the commander, after everything else they have to do."""
        self._turns += 1
        keeper = incident.roles.get(DEPUTY) or incident.roles.get(COMMANDER, incident.responder)
        yield from self._cast.attend(keeper, REMIND_S, LATER + self._turns)

    def _on_incident(self, incident: Incident, what: str) -> None:
        if what == "declared":
            self._world.env.process(self._watch(incident))

    def _watch(self, incident: Incident) -> Process:
        """Take command where something has waited for the commander for too long, or nobody of the commander's list has come."""
        while True:
            yield self._world.env.timeout(LOOK_EVERY_S)
            if incident.over:
                return
            commander, deputy = incident.roles.get(COMMANDER), incident.roles.get(DEPUTY)
            if commander is None or deputy in (None, commander):
                continue
            if (why := self._why(incident, commander)) is not None:
                text = f"{deputy} takes command from {commander}: {why}"
                self._world.record("note", incident.subject, text=text)
                yield from self._roles.promote_deputy(incident)

    def _why(self, incident: Incident, commander: str) -> str | None:
        after_s, roles = self._cast.response.command.deputy_after, self._cast.response.roles
        assert incident.declared_at is not None, "it is led since it was declared"
        waited_s = self._cast.waited_s(commander)
        if waited_s >= after_s:
            return f"something has been waiting for {waited_s:.0f} s"
        listed = roles.get(COMMANDER, [])
        stands_in = commander not in listed and commander not in roles[DEPUTY]
        if listed and stands_in and self._world.env.now - incident.declared_at >= after_s:
            return f"nobody of the list has come for {self._world.env.now - incident.declared_at:.0f} s"
        return None
