"""What can be done to the simulated system: the ports of `gameday.ports` over the traffic engine.

The rule that surprises: overlapping faults count. Two kills of one instance need two restarts, two slowdowns multiply, and healing
one leaves the other: so every fault can be healed without knowing which others are active.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import prod
from typing import Any

from gameday.resources import DependencyRef, LinkRef
from gameday.selectors import Selector
from sim.places import Link, Places
from sim.processes import Process
from sim.traffic.changes import SetEdge, SetInstance, SetLink
from sim.units import Effect, Unit


class Ports(Places):
    """Everything a fault can do."""

    name = "the simulated system"

    # -- processes --------------------------------------------------------------------------------------------------------

    def kill(self, target: Selector) -> None:
        """Stop processes, nodes and whole zones at once; what they held is lost."""
        for zone in self._zones(target):
            self.dead_zones[zone] = self.dead_zones.get(zone, 0) + 1
            self.tell("zone.down", zone)
        for unit in self._units(target):
            self.stop(unit)

    def restart(self, target: Selector) -> None:
        """Undo one kill: processes boot, then serve."""
        for zone in self._zones(target):
            self.dead_zones[zone] -= 1
            self.tell("zone.up", zone)
        for unit in self._units(target):
            self.start(unit)

    def stop(self, unit: Unit) -> None:
        """One more reason why a process does not run; a boot under way is broken off."""
        was_up = unit.up
        unit.kills += 1
        unit.booting = False
        unit.boots += 1
        if was_up:
            self._set(unit, up=False)
            self._tell_node("node.down", unit)

    def start(self, unit: Unit) -> None:
        """One reason less; with the last one the process boots, unless its place was given back meanwhile."""
        unit.kills -= 1
        assert unit.kills >= 0, f"{unit.name} restarted more often than killed"
        if unit.kills == 0 and not unit.retired:
            unit.booting = True
            unit.boots += 1
            self.env.process(self._boot(unit, unit.boots))

    def _boot(self, unit: Unit, boot: int) -> Process:
        """A process that ought to be frozen is frozen as soon as it runs."""
        yield self.env.timeout(self.boot_s(unit.station))
        if unit.boots == boot:
            unit.booting = False
            self._set(unit, up=True, frozen=unit.freezes > 0)
            self._tell_node("node.up", unit)

    def freeze(self, target: Selector) -> None:
        """Stop processes without ending them: they take requests in and answer nothing."""
        for unit in self._units(target):
            unit.freezes += 1
            if unit.freezes == 1:
                self._set(unit, frozen=True)
                self._tell_node("node.frozen", unit)

    def resume(self, target: Selector) -> None:
        """Undo one freeze: work goes on where it was."""
        for unit in self._units(target):
            unit.freezes -= 1
            assert unit.freezes >= 0, f"{unit.name} resumed more often than frozen"
            if unit.freezes == 0:
                self._set(unit, frozen=False)
                self._tell_node("node.resumed", unit)

    # -- work ---------------------------------------------------------------------------------------------------------------

    def slow(self, target: Selector, factor: float) -> None:
        """Make work take `factor` times as long: a gray failure, which instances that start later share."""
        self._begin(target, Effect(slowdown=factor), meets_newcomers=True)

    def unslow(self, target: Selector, factor: float) -> None:
        """Undo one `slow`."""
        self._end(target, Effect(slowdown=factor))

    def saturate(self, target: Selector, share: float) -> None:
        """Take a share of the slots away; a slot that would be left in part is gone."""
        self._begin(target, Effect(taken=share), meets_newcomers=False)

    def release(self, target: Selector, share: float) -> None:
        """Give it back."""
        self._end(target, Effect(taken=share))

    def fail(self, target: Selector, error_ratio: float) -> None:
        """Make a share of the answers errors."""
        self._begin(target, Effect(error_ratio=error_ratio), meets_newcomers=False)

    def recover(self, target: Selector, error_ratio: float) -> None:
        """Undo one `fail`."""
        self._end(target, Effect(error_ratio=error_ratio))

    def ship(self, target: Selector, error_ratio: float, slowdown: float) -> None:
        """Release a version that errs and is slow; instances that start later run it too."""
        self._begin(target, Effect(slowdown, error_ratio), meets_newcomers=True)

    def roll_back(self, target: Selector, error_ratio: float, slowdown: float) -> None:
        """Go back to the version before, wherever this one runs by now."""
        self._end(target, Effect(slowdown, error_ratio))

    # -- network ----------------------------------------------------------------------------------------------------------

    def cut(self, target: Selector) -> None:
        """Cut links, or all calls from a service to one target: nothing gets through."""
        self._each_link(target, lambda link: setattr(link, "cuts", link.cuts + 1))
        self._cut_dependencies(target, +1)
        self.tell("link.cut", str(target))

    def mend(self, target: Selector) -> None:
        """Undo one cut."""
        self._each_link(target, lambda link: setattr(link, "cuts", link.cuts - 1))
        self._cut_dependencies(target, -1)
        self.tell("link.mended", str(target))

    def shape(self, target: Selector, latency_s: float, loss_ratio: float) -> None:
        """Add latency and loss to links."""

        def worsen(link: Link) -> None:
            link.extra_s.append(latency_s)
            link.losses.append(loss_ratio)

        self._each_link(target, worsen)

    def unshape(self, target: Selector, latency_s: float, loss_ratio: float) -> None:
        """Undo one `shape`."""

        def improve(link: Link) -> None:
            link.extra_s.remove(latency_s)
            link.losses.remove(loss_ratio)

        self._each_link(target, improve)

    def break_dns(self, target: Selector, share: float) -> None:  # noqa: ARG002 - there is one public name
        """Let a share of name resolutions fail; caches live on until they expire."""
        self.dns_broken.append(share)
        self.tell("dns.broken", "dns")

    def mend_dns(self, target: Selector, share: float) -> None:  # noqa: ARG002
        """Undo one `break_dns`."""
        self.dns_broken.remove(share)
        self.tell("dns.mended", "dns")

    # -- databases ----------------------------------------------------------------------------------------------------------

    def stop_replication(self, target: Selector) -> None:
        """Stop the replicas from receiving the log."""
        for cluster, zone in self._nodes(target):
            cluster.stop_replication(zone)

    def start_replication(self, target: Selector) -> None:
        """Undo one stop: they catch up."""
        for cluster, zone in self._nodes(target):
            cluster.start_replication(zone)

    def freeze_agent(self, target: Selector) -> None:
        """Freeze the agents of nodes: nobody renews their leases, and they hear of nobody else's."""
        for cluster, zone in self._nodes(target):
            cluster.freeze_agent(zone)

    def resume_agent(self, target: Selector) -> None:
        """Undo one freeze of an agent."""
        for cluster, zone in self._nodes(target):
            cluster.resume_agent(zone)

    def skew_clock(self, target: Selector, offset_s: float) -> None:
        """Put a node's clock back by `offset_s` (its leases then last that much longer in its own eyes)."""
        for cluster, zone in self._nodes(target):
            cluster.skew_clock(zone, offset_s)

    def correct_clock(self, target: Selector, offset_s: float) -> None:
        """Undo one skew."""
        for cluster, zone in self._nodes(target):
            cluster.skew_clock(zone, -offset_s)

    def fill_disk(self, target: Selector) -> None:
        """Fill a node's disk: writes fail, reads go on."""
        for cluster, zone in self._nodes(target):
            cluster.fill_disk(zone)

    def free_disk(self, target: Selector) -> None:
        """Undo one fill."""
        for cluster, zone in self._nodes(target):
            cluster.free_disk(zone)

    # -- inside -------------------------------------------------------------------------------------------------------------

    def _begin(self, target: Selector, effect: Effect, *, meets_newcomers: bool) -> None:
        self._refresh(self.effects.begin(target, effect, self._units(target), meets_newcomers=meets_newcomers))

    def _end(self, target: Selector, effect: Effect) -> None:
        self._refresh(self.effects.end(target, effect))

    def _refresh(self, units: Iterable[Unit]) -> None:
        for unit in units:
            self._set(unit, slowdown=unit.slowdown, error_ratio=unit.error_ratio, slots=unit.slots_left)

    def _set(self, unit: Unit, **change: Any) -> None:
        self.apply(SetInstance(unit.station, unit.position, **change))
        if "up" in change or "slots" in change:
            self.recount_slots(unit.station)
        self._touch(unit.station)

    def _tell_node(self, what: str, unit: Unit) -> None:
        kind, name = self.station_owner(unit.station)
        zone = self.zone_names[unit.zone]
        if kind == "database":
            self.clusters[name].on_node(what, zone)
        self.tell(what, f"{kind}/{name}@{zone}")

    def _each_link(self, target: Selector, change: Callable[[Link], None]) -> None:
        for ref in self.refs(target):
            if isinstance(ref, LinkRef):
                for source in self._ends(ref.source_zone):
                    for end in self._ends(ref.target_zone):
                        link = self.links.setdefault((source, end), Link())
                        change(link)
                        loss = 1.0 - prod(1.0 - share for share in link.losses)
                        self.apply(SetLink(source, end, sum(link.extra_s), loss, link.cuts > 0))

    def _cut_dependencies(self, target: Selector, step: int) -> None:
        for ref in self.refs(target):
            if isinstance(ref, DependencyRef):
                for edge, info in enumerate(self.wiring.edges):
                    if info.caller == ref.service and info.target == ref.target:
                        self.edge_cuts[edge] = self.edge_cuts.get(edge, 0) + step
                        self.apply(SetEdge(edge, cut=self.edge_cuts[edge] > 0))

    def _ends(self, zone: str) -> list[int]:
        """Engine zones behind a name: `internet` is all origins; a region's managed queues sit beside its first zone."""
        zones = self.wiring.zones
        if zone == "internet":
            return [number for name, number in zones.items() if name.startswith("internet/")]
        regions = (region for region in self.topology.regions if self.topology.zones_of(region)[0] == zone)
        return [zones[zone], *(zones[f"region/{region}"] for region in regions)]
