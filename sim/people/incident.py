"""An incident from its first acknowledgement to its end: engage, declare, take command, diagnose, decide, act, confirm.

The rule that surprises: people act on what they see. Where monitoring is blind they declare later and guess more; where a symptom has
gone by itself they notice only when they look again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gameday.communication.severity import SeverityLevel, at_least, severity_of
from gameday.scenario.communication import Phase
from sim.control.faults import ActiveFault
from sim.day import Day
from sim.people.actions import Hands, Plan
from sim.people.cast import Cast
from sim.people.diagnosis import Diagnosis
from sim.people.pager import Page
from sim.processes import Process, Steps

LOOK_EVERY_S = 15.0
COMMANDER = "incident_commander"
NO_EFFECT_AFTER_S = 120.0
"""How long a responder waits for an action to show before thinking again. Assumption."""
LOOK_BACK_MINUTES = 15
LONGEST_LOOK_S = 900.0
"""After so long without anything to see, a page is closed as a false alarm."""


@dataclass(slots=True)
class Incident:
    """What the responders know and have agreed on."""

    number: int
    opened: float
    impact_seen_at: float | None = None
    declared_at: float | None = None
    severity: SeverityLevel | None = None
    phase: Phase = "investigating"
    roles: dict[str, str] = field(default_factory=dict)
    resolved: bool = False
    hurt: set[str] = field(default_factory=set)
    """Request classes seen to be hurt."""

    @property
    def subject(self) -> str:
        """Its name on the timeline."""
        return f"incident/{self.number}"


Listener = Callable[[Incident, str], None]


class IncidentDesk:
    """Turns acknowledged pages into incidents and works on one at a time."""

    def __init__(self, day: Day, cast: Cast, blind: Callable[[], bool]) -> None:
        """`blind` says whether the dashboards are gone."""
        self._day = day
        self._world = day.world
        self._cast = cast
        self._hands = Hands(day, cast)
        self._count = 0
        self._tried: set[tuple[str, str]] = set()
        self.current: Incident | None = None
        self.listeners: list[Listener] = []
        self.blind = blind
        day.world.listeners.append(self._on_world)

    def acknowledged(self, page: Page, person: str) -> None:
        """Somebody took a page: they go to their desk and join the incident, or open one."""
        self._world.env.process(self._engage(page, person))

    def _engage(self, page: Page, person: str) -> Process:
        member, was_there = self._cast.members[person], self._cast.members[person].at_desk
        yield self._world.env.timeout(self._cast.engage_s(person))
        member.at_desk = True
        if self.current is not None:
            if not was_there:
                self._record("responder.engaged", person=person, after_s=self._world.env.now - page.first_sent)
            return
        self._count += 1
        self.current = Incident(self._count, self._world.env.now)
        self._record("responder.engaged", person=person, after_s=self._world.env.now - page.first_sent)
        yield self._world.env.process(self._handle(self.current, person))

    def _handle(self, incident: Incident, person: str) -> Process:
        """The whole incident, led by the first responder."""
        if not (yield from self._look(incident)):
            self._world.record("note", incident.subject, text=f"{person} sees nothing wrong and closes the page")
            self._close(incident)
            return
        yield from self._declare(incident, person)
        recovered = False
        for _ in range(self._cast.timing.rounds):
            recovered = yield from self._recovered(incident, person, patience_s=0.0)
            if recovered:
                break
            plan = yield from self._find_plan(incident, person)
            if plan is None:
                continue
            self._set_phase(incident, "identified")
            yield from self._decide(incident, plan)
            yield from self._hands.carry_out(plan)
            recovered = yield from self._recovered(incident, person, patience_s=NO_EFFECT_AFTER_S)
            if recovered:
                break
        while not recovered:
            recovered = yield from self._recovered(incident, person, patience_s=LONGEST_LOOK_S)
        self._set_phase(incident, "resolved")
        self._record("incident.resolved", by=incident.roles.get(COMMANDER, person))
        self._close(incident)

    def _look(self, incident: Incident) -> Steps[bool]:
        """Look at the dashboards until something is wrong; False when nothing was for long."""
        env, began = self._world.env, self._world.env.now
        while env.now - began <= LONGEST_LOOK_S:
            if not self.blind() and self._lately():
                incident.impact_seen_at = self._began()
                incident.hurt.update(self._lately())
                return True
            if self.blind() and self._day.impacts.active and env.now - began >= LONGEST_LOOK_S / 3.0:
                incident.impact_seen_at = env.now  # without dashboards it takes trying it by hand
                incident.hurt.update(self._day.impacts.active)
                return True
            yield env.timeout(LOOK_EVERY_S)
        return False

    def _lately(self) -> dict[str, float]:
        """What the graphs of the last quarter of an hour show: worst minute's share of lost requests per class that was hurt."""
        now, worst = self._world.env.now, {}
        for name, request_class in self._world.scenario.load.classes.items():
            ends = [now - 60.0 * back for back in range(LOOK_BACK_MINUTES) if now - 60.0 * back > self._world.scenario.warmup]
            shares = [self._day.indicators.good_ratio(name, 60.0, end) for end in ends]
            lost = max((1.0 - share for share in shares if share is not None), default=0.0)
            if lost > 1.0 - request_class.indicator.good or name in self._day.impacts.active:
                worst[name] = lost
        return worst

    def _began(self) -> float:
        """When the graphs say it began: the first bad minute of the last quarter of an hour."""
        began = self._world.env.now
        classes = self._world.scenario.load.classes
        for back in range(LOOK_BACK_MINUTES):
            end = self._world.env.now - 60.0 * back
            shares = [(self._day.indicators.good_ratio(name, 60.0, end), c.indicator.good) for name, c in classes.items()]
            if end > self._world.scenario.warmup and any(share is not None and share < good for share, good in shares):
                began = end - 60.0
        return began

    def _lost_share(self) -> float:
        """Largest share of lost requests of a class that is hurt now, critical classes before others."""
        return max(self._shares().values(), default=0.0)

    def _shares(self) -> dict[str, float]:
        now = self._world.env.now
        shares = {}
        for name in self._day.impacts.active:
            good = self._day.indicators.good_ratio(name, 60.0, now)
            shares[name] = 1.0 - good if good is not None else 1.0
        return shares

    def _declare(self, incident: Incident, person: str) -> Process:
        """Declare once the loss is, or lately was, above the bar, and call the roles together."""
        env, bar = self._world.env, self._cast.response.declare_above
        classes = self._world.scenario.load.classes
        critical = {name for name, c in classes.items() if c.priority == "critical"} or set(classes)
        deadline = env.now + LONGEST_LOOK_S
        while True:
            lately = self._lately()
            worst = max((share for name, share in lately.items() if name in critical), default=0.0)
            # A class that is not critical counts when it is badly hurt.
            if self.blind() or worst >= bar or max(lately.values(), default=0.0) >= 2.0 * bar:
                break
            if not lately or env.now >= deadline:
                return
            yield env.timeout(LOOK_EVERY_S)
        incident.declared_at = env.now
        incident.severity = severity_of(worst, 0.0) or "sev3"
        self._record("incident.declared", severity=incident.severity, by=person)
        self._record("incident.phase", phase=incident.phase)
        self._tell(incident, "declared")
        env.process(self._assemble(incident, person))
        env.process(self._reassess(incident, person))

    def _assemble(self, incident: Incident, first: str) -> Process:
        """Fill the roles: each by its first holder who has no other role; whoever is asleep must be woken first.

        The first responder commands until somebody from the list of commanders takes over.
        """
        holders = self._cast.response.roles
        self._take_role(incident, COMMANDER, first)
        calls = [
            self._world.env.process(self._call_in(incident, role, people))
            for role, people in holders.items()
            if role not in ("legal", "pr", "executive") and not (role == COMMANDER and first in people)
        ]
        if calls:
            yield self._world.env.all_of(calls)

    def _call_in(self, incident: Incident, role: str, people: list[str]) -> Process:
        cast = self._cast
        for person in people:
            if cast.members[person].role is not None:
                continue
            cast.members[person].role = role
            wait = cast.draw(person, cast.timing.assemble)
            if cast.asleep(person):
                wait += cast.notice_s(person)
                cast.wake(person)
                wait += cast.engage_s(person)
            yield self._world.env.timeout(wait)
            if not incident.resolved:
                cast.members[person].at_desk = True
                self._take_role(incident, role, person)
            return
        self._world.record("note", incident.subject, text=f"nobody is free for the role of {role}")

    def _take_role(self, incident: Incident, role: str, person: str) -> None:
        before = incident.roles.get(role)
        if before is not None and before != person:
            self._cast.members[before].role = None
        self._cast.members[person].role = role
        incident.roles[role] = person
        self._record("incident.role", role=role, person=person)
        self._tell(incident, f"role/{role}")

    def _reassess(self, incident: Incident, person: str) -> Process:
        """Severity only rises while the incident lasts."""
        while not incident.resolved:
            yield self._world.env.timeout(60.0)
            share, declared = self._lost_share(), incident.declared_at
            assert declared is not None
            proposed = at_least(incident.severity, severity_of(share, self._world.env.now - declared))
            if proposed is not None and proposed != incident.severity and not incident.resolved:
                incident.severity = proposed
                by = incident.roles.get(COMMANDER, person)
                self._record("incident.severity", severity=proposed, by=by)
                self._tell(incident, "severity")

    def _find_plan(self, incident: Incident, person: str) -> Steps[Plan | None]:
        """Diagnose until a cause is accepted; the mitigation the runbook names for it, or None when it is over by itself."""
        diagnosis = Diagnosis(self._day, self._cast, blind=self.blind())
        fault: ActiveFault | None = yield from diagnosis.run(incident.subject, person, self._tried)
        return None if diagnosis.over else diagnosis.plan(fault, person, self._tried)

    def _decide(self, incident: Incident, plan: Plan) -> Process:
        by = incident.roles.get(COMMANDER, plan.by)
        self._record("decision.proposed", decision=plan.action, by=plan.by, why=plan.why)
        yield self._world.env.timeout(self._cast.think_s(by, self._cast.timing.decide))
        self._record("decision.made", decision=plan.action, by=by, why=plan.why)

    def _recovered(self, incident: Incident, person: str, *, patience_s: float) -> Steps[bool]:
        """Whether the indicators are good, and stay so for the time the plan asks for; `patience_s` to become good."""
        env = self._world.env
        deadline = env.now + patience_s
        while self._day.impacts.active:
            if env.now >= deadline:
                return False
            yield env.timeout(LOOK_EVERY_S)
        self._set_phase(incident, "monitoring")
        good_until = env.now + self._world.scenario.communication.confirm_recovery
        while env.now < good_until:
            if self._day.impacts.active:
                self._world.record("note", incident.subject, text=f"{person} sees it come back")
                self._set_phase(incident, "identified")
                return False
            yield env.timeout(LOOK_EVERY_S)
        return True

    def _set_phase(self, incident: Incident, phase: Phase) -> None:
        if incident.phase != phase:
            incident.phase = phase
            self._record("incident.phase", phase=phase)
            self._tell(incident, "phase")

    def _close(self, incident: Incident) -> None:
        incident.resolved = True
        self._tell(incident, "closed")
        for member in self._cast.members.values():
            member.role = None
            member.at_desk = False
        self._tried.clear()
        self.current = None
        if self._day.impacts.active and incident.declared_at is not None:
            self._world.record("note", incident.subject, text="closed while users are still hurt")

    def _on_world(self, what: str, subject: str) -> None:
        """Machines that wait for a human's word: failover and failback."""
        if what in ("failover.approval", "failback.approval"):
            self._world.env.process(self._approve(what, subject))

    def _approve(self, what: str, region: str) -> Process:
        """The first holder of the asked role who is awake or can be woken thinks, then approves."""
        failover, policy = self._day.failover, self._world.scenario.policies.failover
        assert failover is not None
        role = (policy.approval if what == "failover.approval" else policy.failback.approval) or COMMANDER
        in_role = self.current.roles.get(role) if self.current else None
        candidates = ([in_role] if in_role else []) + list(self._cast.response.roles.get(role, []))
        for person in candidates:
            yield self._world.env.timeout(self._cast.notice_s(person))
            if not self._cast.notices(person):
                continue
            self._cast.wake(person)
            yield self._world.env.timeout(self._cast.think_s(person, self._cast.timing.decide))
            if what == "failover.approval":
                failover.approve(person, role)
            else:
                failover.approve_failback(person, role)
            return
        self._world.record("note", f"region/{region}", text=f"nobody in the role of {role} answers: {what} waits")

    def _record(self, kind: str, **data: object) -> None:
        subject = self.current.subject if self.current else f"incident/{self._count}"
        self._world.record(kind, subject, **data)

    def _tell(self, incident: Incident, what: str) -> None:
        for listener in self.listeners:
            listener(incident, what)
