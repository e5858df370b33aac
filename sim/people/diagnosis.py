"""Finding the cause: a queue of hypotheses, each tested in turn, some of them wrong.

The published distribution (`timing.diagnose`) is the time to the cause with all its wrong turns, so one round is shorter by the
expected number of rounds. Wrong turns follow SPAR-H (NUREG/CR-6883): a base probability and performance shaping factors; where responders
are shown ranked candidates, they test those in order, and a wrong turn is a candidate that was not the cause. The rule that surprises: whoever writes, approves or decides does not diagnose meanwhile; the search waits for them.
"""

from __future__ import annotations

from collections.abc import Callable

from gameday.alerting.candidates import link_meant
from gameday.human_factors import EXPERIENCE_HIGH, FITNESS_DEGRADED, INTERFACE_POOR, PROCEDURES_POOR, Factor, probability
from gameday.scenario.response import Action, Runbook
from gameday.scenario.schedule import Maintenance
from gameday.selectors import target_of
from sim.control.faults import ActiveFault
from sim.day import Day
from sim.people.actions import Plan
from sim.people.cast import Cast
from sim.people.dashboards import Dashboards
from sim.processes import Steps

LOOK_EVERY_S = 15.0
NOTICED_RECOVERY_S = 120.0
"""Good indicators for so long make a responder stop looking for the cause. Assumption."""
BUSY_RATIO = 0.8
"""Utilisation from which a responder takes a service for the bottleneck. Assumption."""

Tried = set[tuple[str, str]]
"""What was tried in an incident: index of a fault and the action."""


class Diagnosis:
    """One search for the cause by one responder."""

    def __init__(self, day: Day, cast: Cast, dashboards: Dashboards, began: float) -> None:
        """`began` is when the graphs say the trouble began: what changed shortly before is suspected first."""
        self._day = day
        self._world = day.world
        self._cast = cast
        self._dashboards = dashboards
        self._began = began
        self.over = False
        """Whether the search ended because the indicators were good again."""
        self.relieve: Callable[[str], Steps[str]] | None = None
        """Who goes on with the search: asked at every look at the dashboards."""

    def run(self, subject: str, person: str, tried: Tried) -> Steps[ActiveFault | None]:
        """Test hypotheses until one is right, it is over by itself, or the rounds are used up; returns the fault believed in."""
        timing, world = self._cast.timing, self._world
        shown = self._dashboards.candidates()
        for _ in range(timing.rounds):
            fault = self._true_cause(tried)
            lost = self._cast.chance(person, "wrong turn") < self._wrong_turn(person, fault)
            right = self._name(fault) if fault is not None else self._without_fault()
            if shown and fault is not None:
                candidate = shown.pop(0)
                lost = candidate != self._component_of(fault)
                hypothesis = candidate if lost else right
            else:
                hypothesis = self._wrong_guess(person, fault) if lost else right
            world.record("diagnosis.started", subject, person=person, hypothesis=hypothesis)
            thinking = self._cast.think_s(person, timing.diagnose, "diagnose") * (1.0 - timing.wrong_turn)
            person, over = yield from self._over_by_itself(person, thinking)
            if over:
                world.record("diagnosis.concluded", subject, person=person, hypothesis="it is over", correct=True)
                self.over = True
                return None
            world.record("diagnosis.concluded", subject, person=person, hypothesis=hypothesis, correct=not lost)
            if not lost:
                return fault
        return None

    def _over_by_itself(self, person: str, thinking_s: float) -> Steps[tuple[str, bool]]:
        """Think for a while, with an eye on the dashboards: who did in the end, and True as soon as they have been good for some time."""
        env, left_s, good_since = self._world.env, thinking_s, None
        while left_s > 0.0:
            if self._dashboards.now().bad:
                good_since = None
            else:
                good_since = env.now if good_since is None else good_since
                if env.now - good_since >= NOTICED_RECOVERY_S:
                    return person, True
            if self.relieve is not None:
                person = yield from self.relieve(person)
            step_s = min(LOOK_EVERY_S, left_s)
            distracted = self._cast.is_distracted(person)
            yield env.timeout(step_s)
            left_s -= 0.0 if distracted else step_s
        return person, False

    # -- what to do about it --------------------------------------------------------------------------------------------

    def plan(self, fault: ActiveFault | None, person: str, tried: Tried) -> Plan:
        """The mitigation for a cause: the runbook's, else what mends such a fault, else waiting for it to pass."""
        if fault is None:
            return self._plan_for_load(person)
        runbook = runbook_for(self._world.scenario.response.runbooks, fault)
        mends = fault.fault.mended_by(fault.target)
        action: Action = runbook.action if runbook is not None else mends or "wait"
        if (fault.index, action) in tried:
            action = mends if mends is not None and (fault.index, mends) not in tried else "wait"
        tried.add((fault.index, action))
        from_runbook = runbook is not None and runbook.action == action
        why = f"{self._name(fault)}: {'runbook' if from_runbook else 'judgement'}"
        return Plan(action, fault.selector, fault, person, why, runbook.minutes if runbook is not None and from_runbook else None)

    def _plan_for_load(self, person: str) -> Plan:
        """Nothing is broken but users are hurt: wait for planned work and where a database moved, else add to the busiest service."""
        planned = self._planned()
        if planned is not None:
            return Plan("wait", planned.target, None, person, f"planned work: {planned.what}")
        moved = self._moved()
        if moved is not None:
            return Plan("wait", f"database/{moved}", None, person, f"{moved} was promoted elsewhere; going back is not safe yet")
        now, busiest, most = self._world.env.now, "", 0.0
        for name, places in self._world.wiring.services.items():
            for station in places.values():
                used = self._day.indicators.utilisation([station], 60.0, now)
                if used is not None and used > most:
                    busiest, most = name, used
        if most < BUSY_RATIO:
            return Plan("wait", "system", None, person, "nothing is found that is broken or full")
        return Plan("scale_out", f"service/{busiest}", None, person, f"{busiest} is {most:.0%} busy")

    def _without_fault(self) -> str:
        planned, moved = self._planned(), self._moved()
        if planned is not None:
            return f"planned work: {planned.what}"
        return "nothing broken: load" if moved is None else f"the primary of {moved} is in another region"

    def _planned(self) -> Maintenance | None:
        """Planned work that is going on: the change calendar tells."""
        now = self._world.env.now
        planned = self._world.scenario.schedule.maintenance
        return next((each for each in planned if each.at <= now < each.at + each.lasts), None)

    def _moved(self) -> str | None:
        """A database whose primary is not in its home region."""
        region_of = self._world.topology.region_of
        for name, cluster in self._world.clusters.items():
            if cluster.primary is not None and region_of(cluster.primary) != region_of(cluster.database.primary):
                return name
        return None

    # -- right and wrong ------------------------------------------------------------------------------------------------

    def _true_cause(self, tried: Tried) -> ActiveFault | None:
        """The active fault to look at next: not dealt with yet, and begun last before the trouble did; later ones after those."""
        began = self._began + LOOK_EVERY_S

        def distance(each: ActiveFault) -> tuple[bool, float, str]:
            return (each.since > began, abs(began - each.since), each.index)

        active = sorted(self._day.faults.active.values(), key=distance)
        seen = {index for index, _ in tried}
        return next((each for each in active if each.index not in seen), active[0] if active else None)

    def _wrong_turn(self, person: str, fault: ActiveFault | None) -> float:
        """Probability that the next hypothesis is wrong."""
        factors: list[Factor] = []
        component = target_of(fault.selector.partition("@")[0]) if fault is not None else ""
        kind, _, name = component.partition("/")
        name = name.partition("/")[0]
        kind = "service" if kind == "instance" else kind
        if name in self._cast.response.people[person].knows:
            factors.append(EXPERIENCE_HIGH)
        if kind in ("service", "database") and not self._has_runbook(kind, name):
            factors.append(PROCEDURES_POOR)
        if self._dashboards.blind():
            factors.append(INTERFACE_POOR)
        if self._cast.tired(person):
            factors.append(FITNESS_DEGRADED)
        return probability(self._cast.timing.wrong_turn, *factors)

    def _has_runbook(self, kind: str, name: str) -> bool:
        system = self._world.scenario.system
        owner = system.services.get(name) if kind == "service" else system.databases.get(name)
        return owner is not None and owner.runbook is not None

    def _wrong_guess(self, person: str, fault: ActiveFault | None) -> str:
        names = [name for name in self._world.scenario.system.services if fault is None or name not in fault.selector]
        return f"errors in {names[int(self._cast.chance(person, 'wrong guess') * len(names))]}" if names else "an attack"

    def _component_of(self, fault: ActiveFault) -> str:
        """What a fault is in, as candidates are called."""
        selector = fault.selector.partition("@")[0]
        link = link_meant(selector, list(self._world.scenario.system.regions))
        if link is not None:
            return link
        kind, _, name = target_of(selector).partition("/")
        return f"{'service' if kind == 'instance' else kind}/{name.partition('/')[0]}"

    @staticmethod
    def _name(fault: ActiveFault) -> str:
        return f"{fault.fault.name} {fault.selector}"


def runbook_for(runbooks: dict[str, Runbook], fault: ActiveFault) -> Runbook | None:
    """The runbook of exactly this target (`kill service/checkout`), else that of the kind of fault."""
    exact = f"{fault.fault.name} {fault.selector}"
    named = {" ".join(key.split()): runbook for key, runbook in runbooks.items()}
    return named.get(exact) or named.get(fault.fault.name)
