"""The bridge: who is on it, who is told how it stands, who says what before a decision; and those who ask from outside.

The rule that surprises: there is no factor for "overhead". Somebody who is asked answers, and does nothing else while they do.
"""

from __future__ import annotations

import simpy

from gameday.scenario.command import Bridge, StatusRequests
from sim.day import Day
from sim.people.cast import SOON, Cast
from sim.people.dashboards import Dashboards
from sim.people.incident import COMMANDER, Incident, IncidentDesk
from sim.people.roles import LIAISON, Roles
from sim.processes import Process, Steps

POLL_S = 10.0
"""The question for strong objections, and the silence after it. Assumption."""
REMEMBERED_S = 600.0
"""Somebody who was told so lately does not ask. Assumption."""
NOT_TOLD = (float("-inf"), "")


class BridgeCall:
    """Everybody who talks about incidents."""

    def __init__(self, day: Day, cast: Cast, dashboards: Dashboards, desk: IncidentDesk, roles: Roles) -> None:
        self._world = day.world
        self._cast = cast
        self._dashboards = dashboards
        self._desk = desk
        self._roles = roles
        command = day.world.scenario.response.command
        self._bridge: Bridge | None = command.bridge
        self._requests: StatusRequests | None = command.status_requests
        self._on_it: dict[str, None] = {}
        self._told: dict[str, float] = {}
        """When each audience was last told anything."""
        self._liaison_knows: tuple[float, str] = NOT_TOLD
        """When the liaison was last told how it stands, and what."""
        self._telling: simpy.Process | None = None
        desk.listeners.append(self._on_incident)
        if self._bridge is not None:
            desk.discuss = self._discuss
            roles.arrived = self._arrived

    def told(self, audience: str) -> None:
        """A message to an audience is out."""
        self._told[audience] = self._world.env.now

    def _on_incident(self, incident: Incident, what: str) -> None:
        env = self._world.env
        if what == "closed":
            self._on_it.clear()
            self._told.clear()
            self._liaison_knows = NOT_TOLD
        if what != "declared":
            return
        if self._bridge is not None:
            for person in self._bridge.join:
                env.process(self._join(incident, person))
            if self._bridge.protocol:
                env.process(self._sum_up(incident, self._bridge))
        if self._requests is not None:
            for name, audience in self._world.scenario.communication.audiences.items():
                if not audience.external:
                    env.process(self._ask(incident, name, self._requests))

    # -- on the bridge ----------------------------------------------------------------------------------------------------

    def _join(self, incident: Incident, person: str) -> Process:
        """Somebody comes because they heard of it."""
        if (yield from self._roles.bring(person)) and not incident.over:
            self._arrived(incident, person)

    def _arrived(self, incident: Incident, person: str) -> None:
        """A newcomer; with a protocol they wait for the summary, without one they ask the responder."""
        if person == incident.responder or person in self._on_it:
            return
        self._on_it[person] = None
        bridge = self._bridge
        assert bridge is not None, "people arrive on a bridge"
        if not bridge.protocol:
            self._world.env.process(self._brief(incident, person, bridge))

    def _brief(self, incident: Incident, person: str, bridge: Bridge) -> Process:
        yield from self._cast.attend(incident.responder, self._cast.draw(person, bridge.briefing, "briefing"), SOON)

    def _sum_up(self, incident: Incident, bridge: Bridge) -> Process:
        """The commander tells everybody how it stands, the responder works on."""
        while True:
            yield self._world.env.timeout(bridge.summary_every)
            if incident.over:
                return
            commander = incident.roles.get(COMMANDER, incident.responder)
            yield from self._cast.attend(commander, self._cast.draw(commander, bridge.briefing, "briefing"), SOON)

    def _discuss(self, incident: Incident, by: str) -> Steps[None]:
        """Before a decision: one question with a protocol, one comment after the other without."""
        bridge = self._bridge
        assert bridge is not None, "there is a bridge to discuss on"
        if bridge.protocol:
            yield self._world.env.timeout(POLL_S)
            return
        for person in list(self._on_it):
            if person not in (by, incident.responder):
                yield self._world.env.timeout(self._cast.draw(person, bridge.comment, "comment"))

    # -- from outside it --------------------------------------------------------------------------------------------------

    def _ask(self, incident: Incident, audience: str, requests: StatusRequests) -> Process:
        """An audience that has not been told for a while asks the commander, who asks the responder."""
        env, draws = self._world.env, self._world.streams.draws(f"status requests/{audience}")
        count = 0
        while True:
            yield env.timeout(draws.exponential() * requests.every)
            if incident.over:
                return
            if requests.dashboard and not self._dashboards.blind():
                continue
            if env.now - self._told.get(audience, float("-inf")) < REMEMBERED_S:
                continue
            count += 1
            name, asked_at = f"{audience}/{count}", env.now
            data: dict[str, object] = {"from": audience, "inquiry": name, "question": "how does it stand?"}
            self._world.recorder.record(env.now, "inquiry.received", incident.subject, data)
            by, answer = yield from self._answer(incident, requests)
            told = {**data, "answer": answer, "by": by, "after_s": env.now - asked_at}
            self._world.recorder.record(env.now, "inquiry.answered", incident.subject, told)

    def _answer(self, incident: Incident, requests: StatusRequests) -> Steps[tuple[str, str]]:
        """Who answers and what: a liaison what they know, else the commander, who asks the responder."""
        commander = incident.roles.get(COMMANDER, incident.responder)
        liaison = incident.roles.get(LIAISON, commander)
        if liaison == commander:
            for person in dict.fromkeys((commander, incident.responder)):
                yield from self._cast.attend(person, self._cast.draw(person, requests.answer, "status request"), SOON)
            return commander, incident.phase
        known_at, _ = self._liaison_knows
        if self._world.env.now - known_at >= REMEMBERED_S:
            if self._telling is None:
                self._telling = self._world.env.process(self._tell_liaison(incident, commander, liaison))
            yield self._telling
        answer = self._liaison_knows[1] or incident.phase
        yield from self._cast.attend(liaison, self._cast.draw(liaison, requests.answer, "status request"), SOON)
        return liaison, answer

    def _tell_liaison(self, incident: Incident, commander: str, liaison: str) -> Process:
        """The commander, who asks the responder, tells the liaison how it stands: once for all who ask in the next while."""
        for person in dict.fromkeys((incident.responder, commander)):
            if person != liaison:
                lasts_s = self._cast.draw(person, self._cast.timing.brief, "tell the liaison")
                yield from self._cast.attend(person, lasts_s, SOON)
        self._liaison_knows = NOT_TOLD if incident.over else (self._world.env.now, incident.phase)
        self._telling = None
