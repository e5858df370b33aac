"""What responders can do: each action changes the system through the same controls that machines use, and may fail.

An action helps only if its mechanism meets the fault: a restart does nothing to a bad release, a failover nothing to a provider. The
rule that surprises: the time of the hands (`runbook.minutes`, else `timing.act`) comes first, and what machines then need (booting,
fencing, promoting, caches that expire) comes on top. Only a rollback is all machine: `policies.release.rollback`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gameday.scenario.response import Action
from gameday.scenario.spread import LogNormal
from gameday.selectors import target_of
from sim.control.degradation import Feature
from sim.control.faults import ActiveFault
from sim.databases.cluster import Cluster
from sim.day import Day
from sim.draws import sample
from sim.people.cast import Cast
from sim.processes import Process, Steps

MOST_TRIES = 3
"""Attempts at one action before the responder thinks again. Assumption."""
LOOK_EVERY_S = 15.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A decided mitigation: what, against which fault, by whom, why, and the time its runbook gives it (None = by kind)."""

    action: Action
    target: str
    fault: ActiveFault | None
    by: str
    why: str
    time: LogNormal | None = None


class Hands:
    """Carries out mitigations."""

    def __init__(self, day: Day, cast: Cast) -> None:
        self._day = day
        self._world = day.world
        self._cast = cast
        self.activate: Callable[[str, str], Steps[None]] | None = None
        """What has to be done before people move a region."""
        self._features: dict[str, Feature] = {feature.name: feature for feature in day.features}

    def carry_out(self, plan: Plan) -> Steps[bool]:
        """Do it, again if it fails; returns whether it had its effect. To wait is not an action."""
        world, cast = self._world, self._cast
        if plan.action == "wait":
            return True
        data = {"action": plan.action, "target": plan.target, "by": plan.by}
        for _ in range(MOST_TRIES):
            if plan.action == "rollback" and self._is_release(plan):
                yield from self._hands_on(plan, plan.time)
                if cast.chance(plan.by, "fails") >= cast.timing.action_failure:
                    return (yield from self._roll_back(plan))
                world.record("action.started", plan.target, **data, why=plan.why)
                yield world.env.timeout(self._rollback_s(plan))
                world.record("action.failed", plan.target, **data, why="the rollback failed and is tried again")
                continue
            world.record("action.started", plan.target, **data, why=plan.why)
            yield from self._hands_on(plan, plan.time or cast.timing.act)
            if cast.chance(plan.by, "fails") < cast.timing.action_failure:
                world.record("action.failed", plan.target, **data, why="the action failed and is tried again")
                continue
            if plan.action == "failover" and self.activate is not None:
                yield from self.activate(plan.by, plan.target)
            refusal = self._do(plan)
            if refusal is None:
                world.record("action.succeeded", plan.target, **data)
                return True
            world.record("action.failed", plan.target, **data, why=refusal)
            return False
        return False

    def _hands_on(self, plan: Plan, time: LogNormal | None) -> Steps[None]:
        if time is not None:
            yield from self._cast.attend(plan.by, self._cast.draw(plan.by, time, "act"))

    # -- rollback -------------------------------------------------------------------------------------------------------

    def _is_release(self, plan: Plan) -> bool:
        return plan.fault is not None and plan.fault.fault.mended_by(plan.fault.target) == "rollback"

    def _rollback_s(self, plan: Plan) -> float:
        return sample(self._world.scenario.policies.release.rollback, self._cast.draws(plan.by, "failed rollback"))

    def _roll_back(self, plan: Plan) -> Steps[bool]:
        """The deployer's time is the action's time; a rollback that is under way already is waited for."""
        assert plan.fault is not None, "only a release is rolled back"
        process = self._day.deployer.roll_back(plan.fault, plan.by)
        if process is not None:
            yield process
        while plan.fault.index in self._day.faults.active and process is None:
            yield self._world.env.timeout(LOOK_EVERY_S)
        return True

    # -- the others -----------------------------------------------------------------------------------------------------

    def _do(self, plan: Plan) -> str | None:
        """Change the system; a sentence when it could not be done."""
        do: dict[Action, Callable[[Plan], str | None]] = {
            "failover": self._fail_over,
            "shift_traffic": self._shift_traffic,
            "promote": self._promote,
            "restart": self._restart,
            "scale_out": self._scale_out,
            "disable_feature": self._disable,
            "rollback": lambda plan: f"there is no release of {plan.target} to go back from",
        }
        return do[plan.action](plan)

    def _fail_over(self, plan: Plan) -> str | None:
        failover = self._day.failover
        region = self._region(plan.target)
        if failover is None:
            return "there is no failover policy"
        if region is None or region not in self._world.scenario.policies.failover.pairs:
            return f"no region takes over for {region or plan.target}"
        return failover.request(plan.by, region)

    def _shift_traffic(self, plan: Plan) -> str | None:
        """Send the clients of a region to its partner, and back when the fault is gone; databases stay where they are."""
        region, policy = self._region(plan.target), self._world.scenario.policies.failover
        partner = policy.pairs.get(region or "") or next(
            (other for other in self._world.scenario.system.regions if other != region and self._serves(other)), None
        )
        if region is None or partner is None:
            return f"there is no region to send the clients of {region or plan.target} to"
        if self._day.failover is not None and self._day.failover.state(region) != "home":
            return f"{region} is at {self._day.failover.state(region)} already"
        origins = self._day.resolvers.origins_at(region)
        if not origins:
            return f"no clients are sent to {region}"
        at_once = policy.move == "anycast"
        self._day.resolvers.move(origins, partner, at_once=at_once)

        def back() -> None:
            there = [origin for origin in origins if self._day.resolvers.answer(origin) == partner]
            self._day.resolvers.move(there, region, at_once=at_once)

        self._undo_when_mended(plan, "shift_traffic back", back)
        return None

    def _serves(self, region: str) -> bool:
        """Whether a region runs and has every entry."""
        entries = {request_class.entry for request_class in self._world.scenario.load.classes.values()}
        services = self._world.wiring.services
        return self._world.place_works(f"region/{region}") and all(region in services[entry] for entry in entries)

    def _promote(self, plan: Plan) -> str | None:
        """Of the database that is meant, or of every one whose primary is in the place that is meant."""
        clusters = self._clusters(plan.target)
        if not clusters:
            return f"no primary of a database is meant by {plan.target}"
        refusals = [cluster.request_promotion(plan.by) for cluster in clusters]
        return None if None in refusals else refusals[0]

    def _clusters(self, target: str) -> list[Cluster]:
        kind, _, rest = target.partition("/")
        if kind == "database":
            known = self._world.clusters.get(rest.partition("@")[0].partition("/")[0])
            return [known] if known is not None else []
        zones = self._world.topology.zones_at(rest) if kind in ("zone", "region") else ()
        return [cluster for cluster in self._world.clusters.values() if cluster.primary in zones]

    def _restart(self, plan: Plan) -> str | None:
        if plan.fault is None or plan.fault.fault.mended_by(plan.fault.target) != "restart":
            return "the restart changed nothing"
        if not self._day.faults.heal(plan.fault.index, plan.by):
            return "it had been mended already"
        return None

    def _scale_out(self, plan: Plan) -> str | None:
        """One more instance in every living zone that has the service; it helps once it has booted."""
        service = plan.target.removeprefix("service/").removeprefix("instance/").partition("@")[0]
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
        """Switch off every optional call to what is broken, until it is mended."""
        broken = target_of(plan.target.partition("@")[0].replace("instance/", "service/"))
        turned: list[Feature] = []
        for caller, service in self._world.scenario.system.services.items():
            for call in service.calls:
                if not call.required and target_of(call.to) == broken:
                    name = f"{caller} -> {call.to}"
                    feature = self._features.setdefault(name, Feature(self._world, caller, call.to))
                    if feature.switch(off=True, by=plan.by):
                        turned.append(feature)
        if not turned:
            return f"no optional call to {plan.target} is left to switch off"

        def on_again() -> None:
            for feature in turned:
                feature.switch(off=False, by=plan.by)

        self._undo_when_mended(plan, "enable_feature", on_again)
        return None

    def _undo_when_mended(self, plan: Plan, action: str, undo: Callable[[], None]) -> None:
        """A workaround ends when its fault has: somebody sees it and takes the time to go back. Without a fault it stays."""
        if plan.fault is not None:
            self._world.env.process(self._go_back(plan, action, undo))

    def _go_back(self, plan: Plan, action: str, undo: Callable[[], None]) -> Process:
        world, cast = self._world, self._cast
        assert plan.fault is not None, "it is known what to wait for"
        while plan.fault.index in self._day.faults.active:
            yield world.env.timeout(LOOK_EVERY_S)
        data = {"action": action, "target": plan.target, "by": plan.by}
        world.record("action.started", plan.target, **data, why=f"{plan.fault.fault.name} {plan.fault.selector} is over")
        yield from cast.attend(plan.by, cast.draw(plan.by, plan.time or cast.timing.act, "act"))
        undo()
        world.record("action.succeeded", plan.target, **data)

    def _region(self, target: str) -> str | None:
        """Region of a target: its own, that of its zone, that of `@place`, or of the end of a link that is a place of ours."""
        kind, _, rest = target.partition("/")
        places = [rest.partition("@")[2].partition("/")[0] or (rest if kind in ("region", "zone") else "")]
        if kind == "database" and not places[0]:
            cluster = self._world.clusters.get(rest.partition("/")[0])
            places = [(cluster.primary if cluster else None) or ""]
        if kind == "link":
            places = rest.replace("<->", "->").split("->")
        topology = self._world.topology
        for place in places:
            if place in self._world.scenario.system.regions:
                return place
            if place in topology.zones:
                return topology.region_of(place)
        return None
