"""The static blast radius: what a loss would take with it before anybody does anything about it.

The rule that surprises: nothing moves. Calls go where they go when all is well, so a region's clients are affected although another
region could take them; that is what failover is for, and playing the scenario says what it achieves. Queues, retries and load
are not looked at: what is "degraded" here may be down under load.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gameday.resources import DependencyRef, DnsRef, LinkRef, NodeRef, ProviderRef, QueueRef, Ref, in_order
from gameday.scenario.load import Load
from gameday.scenario.system import Dependency
from gameday.selectors import INTERNET, target_of

if TYPE_CHECKING:
    from gameday.topology import Topology

MOST_LINKS = 4
"""Links that are named in words one by one; more are counted."""

EVERYONE = "everyone"
"""The one origin of a system that names none."""


@dataclass(frozen=True, slots=True)
class InstanceLoss:
    """Instances of a service in a region that are lost, of how many."""

    service: str
    region: str
    lost: int
    total: int

    def __str__(self) -> str:
        return f"{self.service}@{self.region} loses {self.lost} of {self.total} instances"


@dataclass(frozen=True, slots=True)
class ServiceLoss:
    """A service that is down or degraded in a region, and why."""

    service: str
    region: str
    why: str

    def __str__(self) -> str:
        return f"{self.service}@{self.region}: {self.why}"


@dataclass(frozen=True, slots=True)
class ClassLoss:
    """A class of requests from one origin that fails, and the chain of required calls that explains it."""

    request_class: str
    origin: str
    path: tuple[str, ...]
    """From the clients to what is lost."""
    share: float
    """Share of its requests that take this path, 0 to 1: calls made on average less than once are not made every time."""

    def __str__(self) -> str:
        part = "" if self.share >= 1.0 else f" ({self.share:.3g} of its requests)"
        return f"class {self.request_class} from {self.origin}{part}: {' -> '.join(self.path)}"


@dataclass(frozen=True, slots=True)
class BlastRadius:
    """What a loss takes with it, in the order of the scenario file."""

    instances: tuple[InstanceLoss, ...]
    nodes: tuple[str, ...]
    """Database nodes, queues, providers, links, dependencies and the public name that are lost, as selectors."""
    down: tuple[ServiceLoss, ...]
    """Cannot answer any class of requests there."""
    degraded: tuple[ServiceLoss, ...]
    """Answers, with less capacity, without an optional call, over a fallback, or only some of its requests."""
    classes: tuple[ClassLoss, ...]
    """Empty when the load was not given."""

    def in_words(self) -> list[str]:
        """One line per finding; a loss without any says so."""
        lines = [str(loss) for loss in self.instances]
        links = [node for node in self.nodes if node.startswith("link/")]
        shown = self.nodes if len(links) <= MOST_LINKS else [node for node in self.nodes if node not in links]
        lines += [f"{node} is lost" for node in shown]
        lines += [f"{len(links)} links are lost"] if len(shown) < len(self.nodes) else []
        lines += [f"down: {loss}" for loss in self.down]
        lines += [f"degraded: {loss}" for loss in self.degraded]
        lines += [f"affected: {loss}" for loss in self.classes]
        return lines or ["nothing that the system description shows"]


@dataclass(frozen=True, slots=True)
class _Break:
    """Why a place cannot answer: the chain from it to what is lost, and the share of its requests that meets it."""

    path: tuple[str, ...]
    share: float


def blast_radius(topology: Topology, refs: Iterable[Ref], load: Load | None = None) -> BlastRadius:
    """What is lost, down, degraded and affected while `refs` are gone; with the load, also which classes and why."""
    return _Reach(topology, frozenset(refs), load).result()


class _Reach:
    """One loss followed through the graph of calls; every answer about (service, region, class) is computed once."""

    def __init__(self, topology: Topology, lost: frozenset[Ref], load: Load | None) -> None:
        self.topology = topology
        self.system = topology.system
        self.lost = lost
        self.load = load
        self.answers: dict[tuple[str, str, str | None], _Break | None] = {}
        self.reasons: dict[tuple[str, str], dict[str, None]] = {}
        self.seen: dict[tuple[str, str], dict[str | None, None]] = {}

    def result(self) -> BlastRadius:
        classes = tuple(self._classes())
        down: list[ServiceLoss] = []
        degraded: list[ServiceLoss] = []
        for service in self.system.services:
            for region in self.topology.regions_with(service):
                self._judge(service, region, down, degraded)
        return BlastRadius(tuple(self._instances()), self._others(), tuple(down), tuple(degraded), classes)

    def _judge(self, service: str, region: str, down: list[ServiceLoss], degraded: list[ServiceLoss]) -> None:
        """Down when every class that comes here fails every time; classes that never come do not count."""
        asked = self.seen.get((service, region)) or {None: None}
        breaks = [self._answer(service, region, request_class) for request_class in asked]
        found = [each for each in breaks if each is not None]
        if found and len(found) == len(breaks) and all(each.share >= 1.0 for each in found):
            down.append(ServiceLoss(service, region, " -> ".join(found[0].path)))
            return
        reasons = dict.fromkeys(f"some requests fail: {' -> '.join(each.path)}" for each in found)
        reasons.update(self._reduced(service, region))
        reasons.update(self.reasons.get((service, region), {}))
        if reasons:
            degraded.append(ServiceLoss(service, region, "; ".join(reasons)))

    def _reduced(self, service: str, region: str) -> dict[str, None]:
        total, left = self._counts(service, region)
        return {f"{left} of {total} instances left": None} if left < total else {}

    def _counts(self, service: str, region: str) -> tuple[int, int]:
        instances = self.topology.instances_of(service, region)
        return len(instances), sum(ref not in self.lost for ref in instances)

    def _instances(self) -> Iterator[InstanceLoss]:
        for service in self.system.services:
            for region in self.topology.regions_with(service):
                total, left = self._counts(service, region)
                if left < total:
                    yield InstanceLoss(service, region, total - left, total)

    def _others(self) -> tuple[str, ...]:
        kinds = (NodeRef, QueueRef, ProviderRef, LinkRef, DependencyRef, DnsRef)
        return tuple(str(ref) for ref in in_order(ref for ref in self.lost if isinstance(ref, kinds)))

    # -- classes ----------------------------------------------------------------------------------------------------------

    def _classes(self) -> Iterator[ClassLoss]:
        if self.load is None:
            return
        origins = {name: origin.region for name, origin in self.system.traffic.origins.items()}
        origins = origins or {EVERYONE: self.topology.regions[0]}
        for name, request_class in self.load.classes.items():
            for origin, home in origins.items():
                if request_class.origins is not None and not request_class.origins.get(origin):
                    continue
                region = self.topology.place_serving(self.topology.regions_with(request_class.entry), home)
                broken = self._entered(name, request_class.entry, region)
                if broken is not None:
                    yield ClassLoss(name, origin, broken.path, broken.share)

    def _entered(self, name: str, entry: str, region: str) -> _Break | None:
        answer = self._answer(entry, region, name)
        if DnsRef() in self.lost:
            return _Break(("dns",), 1.0)
        zones = [ref.zone for ref in self.topology.instances_of(entry, region) if ref not in self.lost]
        if zones and all(self._cut(INTERNET, zone) for zone in zones):
            return _Break((f"link/{INTERNET}<->{region}",), 1.0)
        return answer

    # -- services ---------------------------------------------------------------------------------------------------------

    def _answer(self, service: str, region: str, request_class: str | None) -> _Break | None:
        """Why a class of requests fails at a service in a region; None when it does not.

        A cycle of calls is followed once: a call back to a service under examination does not fail it by itself.
        """
        key = (service, region, request_class)
        if key in self.answers:
            return self.answers[key]
        self.answers[key] = None
        self.seen.setdefault((service, region), {})[request_class] = None
        place = f"{service}@{region}"
        _, left = self._counts(service, region)
        worst: _Break | None = _Break((place, "no instance left"), 1.0) if left == 0 else None
        for call in self.topology.calls_of(service, request_class):
            broken = self._call(service, region, request_class, call)
            if broken is not None and left > 0 and (worst is None or broken.share > worst.share):
                worst = _Break((place, *broken.path), broken.share)
        self.answers[key] = worst
        return worst

    def _call(self, service: str, region: str, request_class: str | None, call: Dependency) -> _Break | None:
        """Why a call fails its caller; what it only degrades is noted on the way."""
        broken = self._target(service, region, request_class, call, call.to)
        if broken is None:
            return None
        reason = f"{call.to} fails"
        if call.fallback is not None:
            behind = self._target(service, region, request_class, call, call.fallback)
            if behind is None:
                self._note(service, region, f"{reason}, answered by its fallback {call.fallback}")
                return None
            broken = behind if behind.share < broken.share else broken
        share = min(1.0, call.calls) * broken.share
        if call.required and call.mode == "sync":
            return _Break(broken.path, share)
        self._note(service, region, f"{reason}, {'not waited for' if call.mode == 'async' else 'optional'}")
        return None

    def _note(self, service: str, region: str, reason: str) -> None:
        self.reasons.setdefault((service, region), {})[reason] = None

    def _target(self, service: str, region: str, request_class: str | None, call: Dependency, to: str) -> _Break | None:
        """Why what is called cannot answer `service` in `region`."""
        full = target_of(to)
        kind, _, name = full.partition("/")
        if DependencyRef(service, full) in self.lost:
            return _Break((f"dependency/{service}->{to}",), 1.0)
        callers = [ref.zone for ref in self.topology.instances_of(service, region) if ref not in self.lost]
        if kind == "provider":
            lost = ProviderRef(name) in self.lost
            return _Break((full,), 1.0) if lost else self._linked(callers, [f"provider/{name}"], full, service, region)
        if kind == "database":
            node = self._node(name, region, call)
            lost = node in self.lost
            return _Break((str(node),), 1.0) if lost else self._linked(callers, [node.zone], str(node), service, region)
        if kind == "queue":
            return self._queue(name, region)
        there = self.topology.place_serving(self.topology.regions_with(name), region)
        zones = [ref.zone for ref in self.topology.instances_of(name, there) if ref not in self.lost]
        return self._answer(name, there, request_class) or self._linked(callers, zones, f"{name}@{there}", service, region)

    def _queue(self, name: str, region: str) -> _Break | None:
        """A queue accepts as long as it is there itself; a dead consumer only lets its backlog grow."""
        consumer = self.system.queues[name].consumer
        there = self.topology.place_serving(self.topology.regions_with(consumer), region)
        self._answer(consumer, there, None)
        ref = QueueRef(name, there)
        return _Break((str(ref),), 1.0) if ref in self.lost else None

    def _node(self, database: str, region: str, call: Dependency) -> NodeRef:
        """The node that answers a call: a near copy for reads that may, else the first primary."""
        if call.operation == "read" and call.read_from == "nearest":
            near = self.topology.nodes_of(database, region)
            if near:
                return near[0]
        return NodeRef(database, self.system.databases[database].primary)

    # -- links ------------------------------------------------------------------------------------------------------------

    def _cut(self, here: str, there: str) -> bool:
        """A call needs both directions: the request goes one way, its answer the other."""
        return LinkRef(here, there) in self.lost or LinkRef(there, here) in self.lost

    def _linked(self, callers: list[str], targets: list[str], what: str, service: str, region: str) -> _Break | None:
        """Fails when every pair of living places is cut; a part of them degrades the caller."""
        cuts = [self._cut(here, there) for here in dict.fromkeys(callers) for there in dict.fromkeys(targets)]
        if cuts and all(cuts):
            return _Break((f"link to {what} cut",), 1.0)
        if any(cuts):
            self._note(service, region, f"some links to {what} are cut")
        return None
