"""What responders can do: each action changes the system through the same controls that machines use, and may fail.

An action helps only if its mechanism meets the fault: a restart does nothing to a bad release, a failover nothing to a provider.
"""

from __future__ import annotations

from dataclasses import dataclass

from gameday.scenario.response import Action
from gameday.selectors import target_of
from sim.control.degradation import Feature
from sim.control.faults import ActiveFault
from sim.day import Day
from sim.people.cast import Cast
from sim.processes import Process, Steps

MOST_TRIES = 3
"""Attempts at one action before the responder thinks again."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A decided mitigation: what, against which fault, by whom."""

    action: Action
    target: str
    fault: ActiveFault | None
    by: str
    why: str


class Hands:
    """Carries out mitigations."""

    def __init__(self, day: Day, cast: Cast) -> None:
        self._day = day
        self._world = day.world
        self._cast = cast
        self._features: dict[str, Feature] = {feature.name: feature for feature in day.features}

    def carry_out(self, plan: Plan) -> Steps[bool]:
        """Do it, again if it fails; returns whether it had its effect."""
        world, cast = self._world, self._cast
        if plan.action == "wait":
            return True
        if plan.action == "rollback":
            return (yield from self._roll_back(plan))
        data = {"action": plan.action, "target": plan.target, "by": plan.by}
        for _ in range(MOST_TRIES):
            world.record("action.started", plan.target, **data, why=plan.why)
            yield world.env.timeout(self._time(plan))
            if cast.members[plan.by].draws.uniform() < cast.timing.action_failure:
                world.record("action.failed", plan.target, **data, why="the action failed and is tried again")
                continue
            refusal = self._do(plan)
            if refusal is None:
                world.record("action.succeeded", plan.target, **data)
                return True
            world.record("action.failed", plan.target, **data, why=refusal)
            return False
        return False

    def _time(self, plan: Plan) -> float:
        response = self._world.scenario.response
        runbook = response.runbooks.get(plan.fault.fault.name) if plan.fault else None
        own = runbook.minutes if runbook is not None and runbook.action == plan.action else None
        return self._cast.draw(plan.by, own or self._cast.timing.act)

    def _roll_back(self, plan: Plan) -> Steps[bool]:
        """The deployer's time is the action's time."""
        if plan.fault is None:
            return False
        process = self._day.deployer.roll_back(plan.fault, plan.by)
        if process is not None:
            yield process
        return True

    def _do(self, plan: Plan) -> str | None:
        """Change the system; a sentence when it could not be done."""
        if plan.action in ("failover", "shift_traffic"):
            return self._fail_over(plan)
        if plan.action == "promote":
            return self._promote(plan)
        if plan.action == "restart":
            return self._restart(plan)
        if plan.action == "scale_out":
            return self._scale_out(plan)
        assert plan.action == "disable_feature", plan.action
        return self._disable(plan)

    def _fail_over(self, plan: Plan) -> str | None:
        failover = self._day.failover
        region = self._region(plan.target)
        if failover is None:
            return "there is no failover policy"
        if region is None or region not in self._world.scenario.policies.failover.pairs:
            return f"no region takes over for {region or plan.target}"
        return failover.request(plan.by, region)

    def _promote(self, plan: Plan) -> str | None:
        name = plan.target.removeprefix("database/").partition("@")[0].partition("/")[0]
        cluster = self._world.clusters.get(name)
        if cluster is None:
            return f"{plan.target} is not a database"
        return cluster.request_promotion(plan.by)

    def _restart(self, plan: Plan) -> str | None:
        if plan.fault is None or plan.fault.fault.mended_by(plan.fault.target) != "restart":
            return "the restart changed nothing"
        self._day.faults.heal(plan.fault.index, plan.by)
        return None

    def _scale_out(self, plan: Plan) -> str | None:
        """One more instance in every living zone that has the service; it helps once it has booted."""
        service = plan.target.removeprefix("service/").partition("@")[0]
        places = self._world.wiring.services.get(service)
        if places is None:
            return f"{plan.target} is not a service"
        for region in places:
            for zone in self._world.topology.zones_of(region):
                if self._world.zone_alive(zone) and self._world.topology.instances_in(service, zone):
                    self._world.env.process(self._boot(service, region, zone))
        return None

    def _boot(self, service: str, region: str, zone: str) -> Process:
        world, station = self._world, self._world.wiring.services[service][region]
        have = world.serving_units(station)
        data = {"service": service, "region": region, "from": have, "to": have + 1}
        world.record("scaling.requested", f"service/{service}@{region}", **data, reason="by a responder")
        yield world.env.timeout(world.boot_s(station))
        if world.zone_alive(zone):
            world.add_instance(service, zone)
            world.record("scaling.ready", f"service/{service}@{region}", **data)

    def _disable(self, plan: Plan) -> str | None:
        """Switch off every optional call to what is broken."""
        broken = target_of(plan.target.partition("@")[0])
        turned = False
        for caller, service in self._world.scenario.system.services.items():
            for call in service.calls:
                if not call.required and target_of(call.to) == broken:
                    name = f"{caller} -> {call.to}"
                    feature = self._features.setdefault(name, Feature(self._world, caller, call.to))
                    turned = feature.switch(off=True, by=plan.by) or turned
        return None if turned else f"no optional call to {plan.target} is left to switch off"

    def _region(self, target: str) -> str | None:
        """Region of a target: its own, that of its zone, or that of `@place`."""
        kind, _, rest = target.partition("/")
        place = rest.partition("@")[2].partition("/")[0] or (rest if kind in ("region", "zone") else "")
        if kind == "database" and not place:
            cluster = self._world.clusters.get(rest.partition("/")[0])
            place = (cluster.primary if cluster else None) or ""
        if kind == "link":
            place = rest.replace("<->", "->").partition("->")[0]
        if place in self._world.scenario.system.regions:
            return place
        return self._world.topology.region_of(place) if place in self._world.topology.zones else None
