"""Relief in a long incident: somebody rested takes the search over, in the middle of it.

The rule that surprises: the search goes on while relief is on the way, and stands still while it is handed over. What has been found stays
found: it is in the log; catching up with it is what the hand-over takes (`response.timing.hand_over`).
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.people.cast import Cast
from sim.people.incident import Incident
from sim.people.roles import Roles
from sim.processes import Process, Steps
from sim.world import World

ASK_AGAIN_AFTER_S = 900.0
"""Where nobody rested comes, they are called again after so long. Assumption."""


class Relief:
    """Who works on after `rotate_after` at the desk."""

    def __init__(self, world: World, cast: Cast, roles: Roles, after_s: float) -> None:
        self._world = world
        self._cast = cast
        self._roles = roles
        self._after_s = after_s
        self._calling = False
        self._came: str | None = None
        self._not_before_s = 0.0

    def look(self, incident: Incident, person: str) -> Steps[str]:
        """Called again and again while somebody works: who works on. Relief is called when it is time, and takes over when it is there."""
        since = self._cast.members[person].desk_at
        if since is None or self._world.env.now - since < self._after_s:
            return person
        if self._came is None:
            if not self._calling and self._world.env.now >= self._not_before_s:
                self._calling = True
                self._world.env.process(self._call(incident, person))
            return person
        relief, self._came = self._came, None
        if self._cast.members[relief].roles or not self._cast.members[relief].at_desk:
            return person
        yield from self._cast.together(person, relief, self._cast.draw(relief, self._cast.timing.hand_over, "hand over"))
        self._world.record("note", incident.subject, text=f"{person} hands the work over to {relief}")
        if not self._cast.members[person].roles:
            self._cast.leave(person)
        incident.responder = relief
        return relief

    def _call(self, incident: Incident, person: str) -> Process:
        """Somebody of the cast without a role, those who know most first."""
        members = self._cast.members
        rested = [one for one in members if one != person and not members[one].roles and not members[one].at_desk]
        relief = yield from self._roles.first_who_comes(self._by_knowledge(rested))
        self._calling = False
        if relief is None:
            self._not_before_s = self._world.env.now + ASK_AGAIN_AFTER_S
        elif not incident.over:
            members[relief].at_desk, members[relief].desk_at = True, self._world.env.now
            self._came = relief

    def _by_knowledge(self, people: Sequence[str]) -> list[str]:
        return sorted(people, key=lambda one: -len(self._cast.response.people[one].knows))
