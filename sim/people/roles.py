"""Roles: who leads an incident, who writes, who keeps the log; and who gives machines the word they wait for.

The rule that surprises: what nobody has taken is the commander's (the incident command system: the commander holds every function that
is not delegated). A small team therefore does everything, one thing after the other, which is what makes its messages late.
"""

from __future__ import annotations

from collections.abc import Callable

from gameday.communication.approvals import spokesperson_roles
from sim.day import Day
from sim.people.cast import Cast
from sim.people.incident import COMMANDER, Incident, IncidentDesk
from sim.processes import Process, Steps

DEPUTY, LIAISON = "deputy", "liaison"
ON_REQUEST = frozenset({"legal", "pr", "executive"})
"""Roles that are asked when their word is needed and not called in, unless they write to somebody. Assumption."""
ANSWERS_WITHIN_S = 300.0
"""Who has not answered a call for so long is passed over for the next (PagerDuty's practice: 5 minutes)."""
ROUNDS = 3
"""How often a list of holders is gone through before the commander keeps the role. Assumption."""


class Roles:
    """Fills the roles of incidents."""

    def __init__(self, day: Day, cast: Cast, desk: IncidentDesk) -> None:
        self._day = day
        self._world = day.world
        self._cast = cast
        self._desk = desk
        self.arrived: Callable[[Incident, str], None] = lambda _incident, _person: None
        """Told of everybody who comes to an incident."""
        desk.assemble = self.assemble
        day.world.listeners.append(self._on_world)

    # -- the roles of an incident -----------------------------------------------------------------------------------------

    def assemble(self, incident: Incident, first: str) -> None:
        """The first responder commands until somebody from the list takes over; the other roles are called in at once."""
        self.take(incident, COMMANDER, first)
        rotate_after = self._cast.response.command.rotate_after
        if rotate_after is not None:
            self._world.env.process(self.assemble_relief(incident, rotate_after))
        for role, people in self._cast.response.roles.items():
            if self._is_called_in(role) and not (role == COMMANDER and first in people):
                self._world.env.process(self._call_in(incident, role, people))

    def take(self, incident: Incident, role: str, person: str) -> None:
        """Somebody takes a role; whoever had it hands over."""
        before = incident.roles.get(role)
        if before == person:
            return
        if before is not None:
            self._cast.members[before].roles.discard(role)
        self._cast.members[person].roles.add(role)
        incident.roles[role] = person
        self._world.record("incident.role", incident.subject, role=role, person=person)

    def holder(self, incident: Incident, role: str) -> str | None:
        """Who has a role; the commander takes one that has no list, or that is still open when the incident is over."""
        person = incident.roles.get(role)
        commander = incident.roles.get(COMMANDER)
        if person is None and commander is not None and (incident.over or role not in self._cast.response.roles):
            self.take(incident, role, commander)
            return commander
        return person

    def _is_called_in(self, role: str) -> bool:
        audiences = self._world.scenario.communication.audiences.values()
        if role == COMMANDER or any(audience.author == role for audience in audiences):
            return True
        checklist = self._cast.response.command.failover_checklist
        if checklist is not None and any(step.role == role for step in checklist.steps):
            return False  # whoever owns a step comes when it is due
        on_request = any(
            audience.external and (role in audience.approvals or role in spokesperson_roles(audience)) for audience in audiences
        )
        return role not in ON_REQUEST and not on_request

    def _call_in(self, incident: Incident, role: str, people: list[str]) -> Process:
        """Call the holders in order, first those without another role, until one comes; else one of the team does it as well."""
        called_at = self._world.env.now
        for _ in range(ROUNDS):
            for person in [person for person in people if not self._cast.members[person].roles]:
                if incident.over or self._cast.members[person].roles:
                    continue
                self._cast.members[person].roles.add(role)
                if (yield from self.bring(person)):
                    self._arrive(incident, role, person, called_at)
                    return
                if not incident.over:
                    self._cast.members[person].roles.discard(role)
            if incident.over or all(self._cast.members[person].roles for person in people):
                break
        if not incident.over and role not in incident.roles:
            self._take_as_well(incident, role, people)

    def _arrive(self, incident: Incident, role: str, person: str, called_at: float) -> None:
        """Somebody who was called is there; who comes after the end goes home again."""
        member = self._cast.members[person]
        if incident.over:
            return
        if not member.at_desk:
            member.at_desk, member.desk_at = True, self._world.env.now
            after_s = self._world.env.now - called_at
            self._world.record("responder.engaged", incident.subject, person=person, role=role, after_s=after_s)
        self.take(incident, role, person)
        self.arrived(incident, person)

    def bring(self, person: str) -> Steps[bool]:
        """Call one person to the incident; False when they do not answer."""
        cast, env = self._cast, self._world.env
        if cast.members[person].at_desk:
            return True
        if not cast.reachable(person) or not cast.notices(person):
            yield env.timeout(ANSWERS_WITHIN_S)
            return False
        if cast.asleep(person):
            yield env.timeout(cast.notice_s(person))
            cast.wake(person)
            yield env.timeout(cast.engage_s(person))
        yield env.timeout(cast.draw(person, cast.timing.assemble, "assemble"))
        return True

    def _take_as_well(self, incident: Incident, role: str, people: list[str]) -> None:
        """Nobody is free or answers: a holder who is there does it besides, else the commander."""
        there = [person for person in people if person in incident.roles.values()]
        person = there[0] if there else incident.roles[COMMANDER]
        if role == DEPUTY:
            return  # nobody stands beside themselves
        self._world.record("note", incident.subject, text=f"nobody is free for the role of {role}: {person} does it as well")
        self.take(incident, role, person)

    # -- hand-overs in long incidents ---------------------------------------------------------------------------------------

    def assemble_relief(self, incident: Incident, rotate_after: float) -> Process:
        """The commander hands over to the next of the list who comes, every so often."""
        env = self._world.env
        while True:
            yield env.timeout(rotate_after)
            commander = incident.roles.get(COMMANDER)
            if incident.over:
                return
            if incident.roles.get(DEPUTY) is not None:
                yield from self.promote_deputy(incident)
                continue
            rested = [one for one in self._cast.response.roles.get(COMMANDER, []) if not self._cast.members[one].roles]
            relief = yield from self.first_who_comes(rested)
            if incident.over or relief is None or commander is None:
                continue
            yield from self._cast.attend(commander, self._cast.draw(relief, self._cast.timing.hand_over, "hand over"))
            self.take(incident, COMMANDER, relief)

    def promote_deputy(self, incident: Incident) -> Steps[None]:
        """The deputy, who has heard everything, takes command; another of the list is called to stand beside."""
        cast, deputy, commander = self._cast, incident.roles[DEPUTY], incident.roles[COMMANDER]
        yield from cast.together(commander, deputy, cast.draw(deputy, cast.timing.brief, "take command"))
        if incident.over or incident.roles.get(DEPUTY) != deputy or incident.roles[COMMANDER] != commander:
            return
        del incident.roles[DEPUTY]
        cast.members[deputy].roles.discard(DEPUTY)
        self.take(incident, COMMANDER, deputy)
        self._world.env.process(self._call_in(incident, DEPUTY, cast.response.roles[DEPUTY]))

    def first_who_comes(self, people: list[str]) -> Steps[str | None]:
        """The first of some people who comes, asked in order."""
        for person in people:
            if (yield from self.bring(person)):
                return person
        return None

    # -- machines that wait for a word ------------------------------------------------------------------------------------

    def _on_world(self, what: str, subject: str) -> None:
        """Failover and failback that wait for somebody in a role."""
        if what in ("failover.approval", "failback.approval"):
            self._world.env.process(self._approve(what, subject))

    def _approve(self, what: str, region: str) -> Process:
        """Ask the holders of the role again and again, in order, until one has approved or nothing waits any more."""
        failover, policy, world = self._day.failover, self._world.scenario.policies.failover, self._world
        assert failover is not None, "it asks"
        role = (policy.approval if what == "failover.approval" else policy.failback.approval) or COMMANDER
        approve = failover.approve if what == "failover.approval" else failover.approve_failback
        yield world.env.timeout(0.0)
        while failover.state(region).startswith("waiting for approval"):
            candidates = self._candidates(role)
            if not candidates:
                world.record("note", f"region/{region}", text=f"{what} waits: nobody has the role of {role}")
                return
            for person in candidates:
                if not failover.state(region).startswith("waiting for approval"):
                    return
                if (yield from self._ask(person)):
                    approve(person, role)
                    return
            world.record("note", f"region/{region}", text=f"{what} waits: nobody in the role of {role} answers")

    def _candidates(self, role: str) -> list[str]:
        in_role = self._desk.current.roles.get(role) if self._desk.current else None
        listed = self._cast.response.roles.get(role, [])
        return list(dict.fromkeys([*([in_role] if in_role else []), *listed]))

    def _ask(self, person: str) -> Steps[bool]:
        """Ask one person for a decision; False when they do not answer."""
        cast = self._cast
        if not cast.reachable(person) or not cast.notices(person):
            yield self._world.env.timeout(ANSWERS_WITHIN_S)
            return False
        yield self._world.env.timeout(cast.notice_s(person))
        cast.wake(person)
        yield from cast.attend(person, cast.think_s(person, cast.timing.decide, "approve a failover"))
        return True
