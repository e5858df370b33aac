"""The activation of a regional failover by people: steps in order, each by its owner, from a list or from memory."""

from __future__ import annotations

from collections.abc import Callable

from gameday.human_factors import ACTION, PROCEDURES_NONE, STRESS_HIGH, probability
from gameday.scenario.command import Checklist, Step
from sim.people.cast import Cast
from sim.processes import Process, Steps
from sim.world import World

Bring = Callable[[str], Steps[bool]]
FORGOTTEN = probability(ACTION, PROCEDURES_NONE, STRESS_HIGH)
"""A step that is not written down is not done."""


class Activation:
    """One walk through the steps."""

    def __init__(self, world: World, cast: Cast, bring: Bring, checklist: Checklist, subject: str) -> None:
        self._world = world
        self._cast = cast
        self._bring = bring
        self._checklist = checklist
        self._subject = subject
        self._there: dict[str, str] = {}
        """Who has come, by role."""

    def run(self, by: str) -> Steps[None]:
        """All steps, then a look whether it works; what was forgotten is done then, and looked at again."""
        steps = self._checklist.steps
        if self._checklist.written:
            for role in dict.fromkeys(step.role for step in steps):
                self._world.env.process(self._call(role))
        forgotten = [] if self._checklist.written else [step for step in steps if self._cast.chance(by, "forgets") < FORGOTTEN]
        for step in steps:
            if step not in forgotten:
                yield from self._do(step, by)
        yield from self._verify(by)
        for step in forgotten:
            self._world.record("note", self._subject, text=f"the step '{step.name}' had been forgotten")
            yield from self._do(step, by)
            yield from self._verify(by)

    def _do(self, step: Step, by: str) -> Steps[None]:
        """The owner does a step, once they are there; nobody in the role = whoever leads does it as well."""
        if step.role not in self._there:
            yield self._world.env.process(self._call(step.role))
        owner = self._there.get(step.role, by)
        data = {"action": "checklist", "target": self._subject, "by": owner}
        self._world.record("action.started", self._subject, **data, why=step.name)
        yield from self._cast.attend(owner, self._cast.draw(owner, step.takes, f"step {step.name}"))
        self._world.record("action.succeeded", self._subject, **data, why=step.name)

    def _verify(self, by: str) -> Steps[None]:
        yield from self._cast.attend(by, self._cast.draw(by, self._checklist.verify, "verify"))

    def _call(self, role: str) -> Process:
        """Call the people of a role in order until one comes."""
        for person in self._cast.response.roles.get(role, []):
            if role in self._there:
                return
            if (yield from self._bring(person)):
                self._there.setdefault(role, person)
                return
