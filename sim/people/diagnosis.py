"""Finding the cause: a queue of hypotheses, each tested in turn, some of them wrong.

The published distribution (`timing.diagnose`) is the time to the cause with all its wrong turns, so one round is shorter by the
expected number of rounds. Wrong turns follow SPAR-H (NUREG/CR-6883): a base probability and performance shaping factors.
"""

from __future__ import annotations

from gameday.scenario.response import Action
from gameday.selectors import target_of
from sim.control.faults import ActiveFault
from sim.day import Day
from sim.people.actions import Plan
from sim.people.cast import Cast
from sim.processes import Steps

# SPAR-H performance shaping factors for diagnosis (NUREG/CR-6883, table for diagnosis).
EXPERIENCE_HIGH = 0.5
PROCEDURES_POOR = 5.0  # no runbook for the component
INTERFACE_POOR = 10.0  # dashboards are gone

LOOK_EVERY_S = 15.0
NOTICED_RECOVERY_S = 120.0
"""Good indicators for so long make a responder stop looking for the cause. Assumption."""


class Diagnosis:
    """One search for the cause by one responder."""

    def __init__(self, day: Day, cast: Cast, *, blind: bool) -> None:
        self._day = day
        self._world = day.world
        self._cast = cast
        self._blind = blind
        self.over = False
        """Whether the search ended because the indicators were good again."""

    def run(self, subject: str, person: str, tried: set[tuple[str, str]]) -> Steps[ActiveFault | None]:
        """Test hypotheses until one is right, all faults are gone, or the rounds are used up; returns the fault believed in."""
        timing, world = self._cast.timing, self._world
        for _ in range(timing.rounds):
            fault = self._true_cause(tried)
            wrong = self._wrong_turn(person, fault)
            hypothesis = self._name(fault) if fault is not None else self._without_fault()
            lost = self._cast.members[person].draws.uniform() < wrong
            if lost:
                hypothesis = self._wrong_guess(person, fault)
            world.record("diagnosis.started", subject, person=person, hypothesis=hypothesis)
            thinking = self._cast.think_s(person, timing.diagnose) * (1.0 - timing.wrong_turn)
            if (yield from self._over_by_itself(thinking)):
                world.record("diagnosis.concluded", subject, person=person, hypothesis="it is over", correct=True)
                self.over = True
                return None
            world.record("diagnosis.concluded", subject, person=person, hypothesis=hypothesis, correct=not lost)
            if not lost:
                return fault
        return None

    def _over_by_itself(self, thinking_s: float) -> Steps[bool]:
        """Think for a while, with an eye on the dashboards: True as soon as they have been good for some time."""
        env, until, good_since = self._world.env, self._world.env.now + thinking_s, None
        while env.now < until:
            if self._day.impacts.active or self._blind:
                good_since = None
            else:
                good_since = env.now if good_since is None else good_since
                if env.now - good_since >= NOTICED_RECOVERY_S:
                    return True
            yield env.timeout(min(LOOK_EVERY_S, until - env.now))
        return False

    def plan(self, fault: ActiveFault | None, person: str, tried: set[tuple[str, str]]) -> Plan:
        """The mitigation for a cause: the runbook's, else what mends such a fault, else waiting for it to pass."""
        if fault is None:
            return self._plan_for_load(person)
        runbooks = self._world.scenario.response.runbooks
        runbook = runbooks.get(f"{fault.fault.name} {fault.selector}") or runbooks.get(fault.fault.name)
        mends = fault.fault.mended_by(fault.target)
        action: Action = runbook.action if runbook is not None else mends or "wait"
        if (fault.index, action) in tried:
            action = mends if mends is not None and (fault.index, mends) not in tried else "wait"
        tried.add((fault.index, action))
        return Plan(action, fault.selector, fault, person, f"{self._name(fault)}: {'runbook' if runbook else 'judgement'}")

    def _plan_for_load(self, person: str) -> Plan:
        """Nothing is broken but users are hurt: wait where a database moved, else more capacity for the busiest service."""
        moved = self._moved()
        if moved is not None:
            return Plan("wait", f"database/{moved}", None, person, f"{moved} was promoted elsewhere; going back is not safe yet")
        now, busiest, most = self._world.env.now, "", 0.0
        for name, places in self._world.wiring.services.items():
            for station in places.values():
                used = self._day.indicators.utilisation([station], 60.0, now)
                if used is not None and used > most:
                    busiest, most = name, used
        if most < 0.8:
            return Plan("wait", "system", None, person, "nothing is broken and nothing is full")
        return Plan("scale_out", f"service/{busiest}", None, person, f"{busiest} is {most:.0%} busy")

    def _without_fault(self) -> str:
        moved = self._moved()
        return "nothing broken: load" if moved is None else f"the primary of {moved} is in another region"

    def _moved(self) -> str | None:
        """A database whose primary is not in its home region."""
        region_of = self._world.topology.region_of
        for name, cluster in self._world.clusters.items():
            if cluster.primary is not None and region_of(cluster.primary) != region_of(cluster.database.primary):
                return name
        return None

    def _true_cause(self, tried: set[tuple[str, str]]) -> ActiveFault | None:
        """The oldest active fault that was not dealt with yet; faults nobody can do anything about come last."""
        active = sorted(self._day.faults.active.values(), key=lambda each: (each.since, each.index))
        seen = {index for index, _ in tried}
        return next((each for each in active if each.index not in seen), active[0] if active else None)

    def _wrong_turn(self, person: str, fault: ActiveFault | None) -> float:
        """Probability that the next hypothesis is wrong: p x F / (p x (F - 1) + 1)."""
        base, factor = self._cast.timing.wrong_turn, 1.0
        component = target_of(fault.selector.partition("@")[0]) if fault is not None else ""
        kind, _, name = component.partition("/")
        name = name.partition("/")[0]
        if name in self._cast.response.people[person].knows:
            factor *= EXPERIENCE_HIGH
        if kind in ("service", "database") and not self._has_runbook(kind, name):
            factor *= PROCEDURES_POOR
        if self._blind:
            factor *= INTERFACE_POOR
        return base * factor / (base * (factor - 1.0) + 1.0)

    def _has_runbook(self, kind: str, name: str) -> bool:
        system = self._world.scenario.system
        owner = system.services.get(name) if kind == "service" else system.databases.get(name)
        return owner is not None and owner.runbook is not None

    def _wrong_guess(self, person: str, fault: ActiveFault | None) -> str:
        names = [name for name in self._world.scenario.system.services if fault is None or name not in fault.selector]
        return f"errors in {names[int(self._cast.members[person].draws.uniform() * len(names))]}" if names else "an attack"

    @staticmethod
    def _name(fault: ActiveFault) -> str:
        return f"{fault.fault.name} {fault.selector}"
