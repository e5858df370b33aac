"""An incident from its first acknowledgement to its end: engage, look, declare, diagnose, decide, act, confirm.

The rule that surprises: people act on what they see. Where monitoring is blind they find out by hand, slowly; where a symptom has gone
by itself they see it on their graphs; a loss too small to declare is still worked on, and declared as soon as it grows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from gameday.communication.severity import SeverityLevel, at_least, severity_of
from gameday.scenario.communication import Phase
from sim.day import Day
from sim.people.actions import Hands, Plan
from sim.people.cast import Cast
from sim.people.dashboards import Dashboards
from sim.people.diagnosis import Diagnosis, Tried
from sim.people.pager import Page
from sim.processes import Process, Steps

LOOK_EVERY_S = 15.0
COMMANDER, OPERATIONS = "incident_commander", "operations"
NO_EFFECT_AFTER_S = 120.0
"""How long a responder waits for an action to show before thinking again. Assumption."""
LONGEST_LOOK_S = 900.0
"""After so long without anything to see, a page is closed as a false alarm. Assumption."""
OTHERS_COUNT = 0.5
"""Weight of the loss of a class that is not critical, beside that of a critical one. Assumption."""


@dataclass(slots=True)
class Incident:
    """What the responders know and have agreed on."""

    number: int
    opened: float
    paged_at: float
    """When the page that opened it was sent: where no graph tells, it began then at the latest."""
    looks_back_to: float
    """What the graphs show before this belongs to the incident before."""
    impact_seen_at: float | None = None
    """When the graphs say it began."""
    over_seen_at: float | None = None
    """When they say it was over."""
    declared_at: float | None = None
    severity: SeverityLevel | None = None
    phase: Phase = "investigating"
    roles: dict[str, str] = field(default_factory=dict)
    responder: str = ""
    """Who looks for the cause and acts."""
    over: bool = False
    hurt: set[str] = field(default_factory=set)
    """Request classes seen to be hurt, at any time of it."""
    regions: set[str] = field(default_factory=set)
    """Regions seen to be hurt, at any time of it."""
    plan: Plan | None = None
    """The cause that is believed in, and what is to be done about it."""
    decided: str | None = None
    """The decision that holds."""

    @property
    def subject(self) -> str:
        """Its name on the timeline."""
        return f"incident/{self.number}"


Listener = Callable[[Incident, str], None]


class IncidentDesk:
    """Turns acknowledged pages into incidents and works on one at a time."""

    def __init__(self, day: Day, cast: Cast, dashboards: Dashboards) -> None:
        self._day = day
        self._world = day.world
        self._cast = cast
        self._dashboards = dashboards
        self.hands = Hands(day, cast)
        self._count = 0
        self._looks_back_to = day.world.scenario.warmup
        self._tried: Tried = set()
        self.current: Incident | None = None
        self.listeners: list[Listener] = []
        """Told of each incident: declared, severity, phase, closed."""
        self.assemble: Callable[[Incident, str], None] = lambda _incident, _person: None
        """Fills the roles of an incident that the person has declared."""
        self.discuss: Callable[[Incident, str], Steps[None]] | None = None
        """What is said on the bridge before somebody decides."""
        self.relieve: Callable[[Incident, str], Steps[str]] | None = None
        """Who goes on looking for the cause: asked again and again meanwhile."""

    # -- from the page to the graphs --------------------------------------------------------------------------------------

    def acknowledged(self, page: Page, person: str) -> None:
        """Somebody took a page: they go to their desk and join the incident, or open one."""
        self._world.env.process(self._engage(person, page.first_sent))

    def _engage(self, person: str, paged_at: float) -> Process:
        member = self._cast.members[person]
        called_at = self._world.env.now if member.paged_at is None else member.paged_at
        yield self._world.env.timeout(self._cast.engage_s(person))
        opens = self.current is None
        if opens:
            self._count += 1
            self.current = Incident(self._count, self._world.env.now, paged_at, self._looks_back_to)
        incident = self.current
        assert incident is not None, "it was there or has just been opened"
        if not member.at_desk:
            member.at_desk = True
            after_s = self._world.env.now - called_at
            self._world.record("responder.engaged", incident.subject, person=person, after_s=after_s)
            self._cast.members[person].desk_at = self._world.env.now
        if opens:
            incident.responder = person
            yield from self._handle(incident, person)

    def _handle(self, incident: Incident, person: str) -> Process:
        """The whole incident, worked on by the first responder."""
        if not (yield from self._look(incident)):
            self._world.record("note", incident.subject, text=f"{person} sees nothing wrong and closes the page")
            self._close(incident)
            return
        self._weigh(incident, person)
        self._world.env.process(self._watch(incident, person))
        yield from self._mitigate(incident, person)
        self._set_phase(incident, "resolved")
        if incident.declared_at is None:
            self._world.record("note", incident.subject, text=f"{person} saw a loss too small to declare, and it is over")
        else:
            by = incident.roles.get(COMMANDER, person)
            self._world.record("incident.resolved", incident.subject, by=by)
        self._close(incident)

    def _look(self, incident: Incident) -> Steps[bool]:
        """Look at the dashboards until something is wrong; False when nothing was for long."""
        env = self._world.env
        until = env.now + LONGEST_LOOK_S
        while not (lately := self._dashboards.lately(incident.looks_back_to)):
            if env.now >= until:
                return False
            yield env.timeout(min(LOOK_EVERY_S, until - env.now))
        seen_at = self._dashboards.began(incident.looks_back_to)
        incident.impact_seen_at = incident.paged_at if seen_at is None else seen_at
        incident.hurt.update(lately)
        self.see(incident)
        return True

    def see(self, incident: Incident) -> None:
        """Take note of who is hurt now."""
        view = self._dashboards.now()
        incident.hurt.update(view.lost)
        incident.regions.update(view.regions)

    # -- declare ----------------------------------------------------------------------------------------------------------

    def _watch(self, incident: Incident, person: str) -> Process:
        """Keep an eye on the loss: declare when it is large enough, raise the severity when it grows or lasts."""
        while not incident.over:
            self.see(incident)
            self._weigh(incident, person)
            yield self._world.env.timeout(LOOK_EVERY_S)

    def _weigh(self, incident: Incident, person: str) -> None:
        share, now = self._share(incident), self._world.env.now
        assert incident.impact_seen_at is not None, "something was seen"
        proposed = severity_of(share, now - incident.impact_seen_at)
        if incident.declared_at is None:
            if self._dashboards.blind() or share >= self._cast.response.declare_above:
                self._declare(incident, person, proposed or "sev3")
            return
        if incident.phase not in ("investigating", "scoping", "identified"):
            return
        raised = at_least(incident.severity, severity_of(self._now_lost(), now - incident.impact_seen_at))
        if raised is not None and raised != incident.severity:
            incident.severity = raised
            by = incident.roles.get(COMMANDER, person)
            self._world.record("incident.severity", incident.subject, severity=raised, by=by)
            self._tell(incident, "severity")

    def _share(self, incident: Incident) -> float:
        """Largest share of requests that the graphs of late show as lost, critical classes before others."""
        return self._weighted(self._dashboards.lately(incident.looks_back_to))

    def _now_lost(self) -> float:
        return self._weighted(self._dashboards.now().lost)

    def _weighted(self, lost: Mapping[str, float]) -> float:
        classes = self._world.scenario.load.classes
        critical = {name for name, c in classes.items() if c.priority == "critical"} or set(classes)
        return max((share * (1.0 if name in critical else OTHERS_COUNT) for name, share in lost.items()), default=0.0)

    def _declare(self, incident: Incident, person: str, severity: SeverityLevel) -> None:
        incident.declared_at, incident.severity = self._world.env.now, severity
        self._world.record("incident.declared", incident.subject, severity=severity, by=person)
        self._world.record("incident.phase", incident.subject, phase=incident.phase)
        self._tell(incident, "declared")
        self.assemble(incident, person)
        if self._world.scenario.communication.scoping:
            self._world.env.process(self._scope(incident))

    def _scope(self, incident: Incident) -> Process:
        """Find out who is affected and where; that needs somebody's attention, and graphs or tries by hand."""
        yield self._world.env.timeout(0.0)
        by = incident.roles.get(COMMANDER, incident.responder)
        yield from self._cast.attend(by, self._cast.think_s(by, self._cast.timing.scope, "scope"))
        while not incident.over and not self._dashboards.now().known:
            yield self._world.env.timeout(LOOK_EVERY_S)
        if incident.phase == "investigating" and not incident.over:
            self.see(incident)
            self._set_phase(incident, "scoping")

    # -- mitigate ---------------------------------------------------------------------------------------------------------

    def _mitigate(self, incident: Incident, person: str) -> Steps[None]:
        """Diagnose, decide and act until it is over; who has tried for long waits until something new shows."""
        left = self._cast.timing.rounds
        known: set[str] = set()
        while not (yield from self._recovered(incident, person, patience_s=0.0)):
            active = set(self._day.faults.active)
            if left <= 0 and active <= known:
                yield self._world.env.timeout(LOOK_EVERY_S)
                continue
            left = self._cast.timing.rounds if left <= 0 else left
            left, known = left - 1, active
            plan = yield from self._find_plan(incident, person)
            person = incident.responder
            if plan is None:
                continue
            incident.plan = plan
            self._set_phase(incident, "identified")
            yield from self._decide(incident, plan)
            plan = yield from self._give_task(incident, plan)
            if (yield from self.hands.carry_out(plan)) and (
                yield from self._recovered(incident, person, patience_s=NO_EFFECT_AFTER_S)
            ):
                return

    def _find_plan(self, incident: Incident, person: str) -> Steps[Plan | None]:
        """Diagnose until a cause is accepted; the mitigation the runbook names for it, or None when it is over by itself."""
        assert incident.impact_seen_at is not None, "something was seen"
        diagnosis = Diagnosis(self._day, self._cast, self._dashboards, incident.impact_seen_at)
        if self.relieve is not None:
            diagnosis.relieve = partial(self.relieve, incident)
        fault = yield from diagnosis.run(incident.subject, person, self._tried)
        return None if diagnosis.over else diagnosis.plan(fault, incident.responder, self._tried)

    def _decide(self, incident: Incident, plan: Plan) -> Steps[None]:
        """The responder proposes, the commander decides."""
        by = incident.roles.get(COMMANDER, plan.by)
        self._world.record("decision.proposed", incident.subject, decision=plan.action, by=plan.by, why=plan.why)
        if self.discuss is not None:
            yield from self.discuss(incident, by)
        yield from self._cast.attend(by, self._cast.think_s(by, self._cast.timing.decide, "decide"))
        incident.decided = plan.action
        self._world.record("decision.made", incident.subject, decision=plan.action, by=by, why=plan.why)

    def _give_task(self, incident: Incident, plan: Plan) -> Steps[Plan]:
        """Who acts: with a list for `operations` whoever has the role, else the commander; without one whoever found the cause.

        Somebody who did not find it has to be told what to do. To wait is no task.
        """
        if OPERATIONS not in self._cast.response.roles or plan.action == "wait":
            return plan
        by = incident.roles.get(OPERATIONS) or incident.roles.get(COMMANDER, plan.by)
        if by != plan.by:
            yield from self._cast.together(plan.by, by, self._cast.draw(by, self._cast.timing.brief, "task"))
        return replace(plan, by=by)

    def _recovered(self, incident: Incident, person: str, *, patience_s: float) -> Steps[bool]:
        """Whether the indicators are good, and stay so for the time the plan asks for; `patience_s` to become good."""
        env = self._world.env
        deadline = env.now + patience_s
        while self._dashboards.now().bad:
            if env.now >= deadline:
                return False
            yield env.timeout(LOOK_EVERY_S)
        before = incident.phase
        incident.over_seen_at = self._dashboards.ended(incident.impact_seen_at or incident.opened)
        self._set_phase(incident, "monitoring")
        good_until = env.now + self._world.scenario.communication.confirm_recovery
        while env.now < good_until:
            yield env.timeout(min(LOOK_EVERY_S, good_until - env.now))
            if self._dashboards.now().bad:
                self._world.record("note", incident.subject, text=f"{person} sees it come back")
                incident.over_seen_at = None
                self._set_phase(incident, "investigating" if before == "monitoring" else before)
                return False
        return True

    def _set_phase(self, incident: Incident, phase: Phase) -> None:
        if incident.phase != phase:
            incident.phase = phase
            if incident.declared_at is not None:
                self._world.record("incident.phase", incident.subject, phase=phase)
                self._tell(incident, "phase")

    # -- close ------------------------------------------------------------------------------------------------------------

    def _close(self, incident: Incident) -> None:
        """Everybody goes back to what they did; what comes from now on is another incident."""
        incident.over = True
        self._looks_back_to = self._world.env.now
        self._tell(incident, "closed")
        for name in self._cast.members:
            self._cast.leave(name)
        self._tried.clear()
        self.current = None

    def _tell(self, incident: Incident, what: str) -> None:
        for listener in self.listeners:
            listener(incident, what)
