"""Plays the schedule: injects each fault at its time, heals it at its end or when somebody mends it.

The rule that surprises: a target is pinned when its fault starts. `database/orders/primary` is killed and healed as the node it was,
wherever the primary has moved meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass

from gameday.errors import GamedayError
from gameday.faults import Fault, make
from gameday.scenario.schedule import Background, ScheduledFault
from gameday.selectors import Selector
from sim.processes import Process
from sim.world import World


@dataclass(slots=True)
class ActiveFault:
    """A fault that has been injected and not healed."""

    index: str
    fault: Fault
    target: Selector
    selector: str
    since: float
    origin: str


class FaultPlayer:
    """Owns every active fault of a replication."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.active: dict[str, ActiveFault] = {}
        for index, planned in enumerate(world.scenario.schedule.faults):
            world.env.process(self._play(index, planned))
        self._names: dict[str, int] = {}
        for failures in world.scenario.schedule.background:
            self._start_background(failures)

    def inject(self, index: str, fault: Fault, target: Selector, origin: str = "schedule") -> bool:
        """Inject a fault; a refusal (a missing capability, a target that is not there) is recorded as `fault.failed` and the day goes on."""
        world = self.world
        data = {"fault": fault.name, "index": index, "selector": str(target)}
        try:
            pinned = world.pin(target)
            fault.inject(world, pinned)
        except GamedayError as error:
            world.record("fault.failed", f"fault/{index}", **data, why=str(error))
            return False
        self.active[index] = ActiveFault(index, fault, pinned, str(target), world.env.now, origin)
        world.record("fault.injected", f"fault/{index}", **data, parameters=fault.parameters_in_words(), origin=origin)
        return True

    def heal(self, index: str, by: str) -> bool:
        """Heal a fault if it is still active; `by` is the schedule, a person or a controller."""
        active = self.active.pop(index, None)
        if active is None:
            return False
        active.fault.heal(self.world, active.target)
        self.world.record(
            "fault.healed",
            f"fault/{index}",
            fault=active.fault.name,
            index=index,
            selector=active.selector,
            parameters=active.fault.parameters_in_words(),
            origin=active.origin,
            by=by,
        )
        return True

    def mended_by(self, action: str) -> list[ActiveFault]:
        """Active faults that this mitigation mends, oldest first."""
        return [active for active in self.active.values() if active.fault.mended_by(active.target) == action]

    def _play(self, index: int, planned: ScheduledFault) -> Process:
        fault = make(planned.fault, planned.parameters)
        yield self.world.env.timeout(planned.at)
        if self.inject(str(index), fault, Selector.parse(planned.target)) and planned.lasts is not None:
            yield self.world.env.timeout(planned.lasts)
            self.heal(str(index), "schedule")

    def _start_background(self, failures: Background) -> None:
        """Named by what fails, not by position: adding background failures moves no other's times."""
        fault = make(failures.fault, failures.parameters)
        selector = Selector.parse(failures.target)
        for member in (selector,) if failures.together else self.world.topology.members(selector):
            name = f"background-{failures.fault}/{member}"
            self._names[name] = number = self._names.get(name, 0) + 1
            self.world.env.process(self._renew(name if number == 1 else f"{name} #{number}", fault, member, failures))

    def _renew(self, index: str, fault: Fault, member: Selector, failures: Background) -> Process:
        draws = self.world.streams.draws(f"background/{index}")
        count = 0
        while True:
            yield self.world.env.timeout(draws.exponential() * failures.mtbf)
            count += 1
            if self.inject(f"{index}/{count}", fault, member, "background"):
                yield self.world.env.timeout(draws.exponential() * failures.mttr)
                self.heal(f"{index}/{count}", "background")
