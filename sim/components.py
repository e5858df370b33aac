"""What fails by itself in a scenario, and what is up as long as enough of it is: the model of long-run availability.

The rule that surprises: a zone or a region is a component of its own. Its failure takes every instance and node in it at once, however well
each of them holds; that is the common cause, and it comes from where things are placed, not from a number. A database that elects its primary
by majority is down without most of its voters too, however many nodes it has left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from gameday.errors import BadInput, Problem, nearest
from gameday.resources import InstanceRef, NodeRef, ProviderRef, Ref, ZoneRef
from gameday.scenario.model import Scenario
from gameday.scenario.schedule import Background
from gameday.selectors import Selector
from gameday.topology import Topology

COUNTED = frozenset({"kill", "freeze", "outage"})
"""Faults that take a component away as a whole; others make it worse, which availability does not see."""


@dataclass(frozen=True, slots=True)
class Component:
    """Something that fails and is repaired independently of all others; both times are exponential."""

    name: str
    mtbf_s: float
    """Mean time from a repair to the next failure."""
    mttr_s: float
    """Mean time to repair."""
    takes: frozenset[str]
    """Units that are down while it is broken."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A service, database or provider: up while at least `needs` of its units are."""

    name: str
    units: tuple[str, ...]
    needs: int
    also: tuple[Thing, ...] = ()
    """Without any of these it is down too: the voters of a database, or whatever is needed together with it."""

    @property
    def parts(self) -> tuple[Thing, ...]:
        """Itself and all that has to be up with it."""
        return (self, *(part for one in self.also for part in one.parts))

    @property
    def everything(self) -> frozenset[str]:
        """The units of all parts."""
        return frozenset(unit for part in self.parts for unit in part.units)

    def is_lost(self, taken: frozenset[str]) -> bool:
        """Whether it is down while these units are."""
        return any(len(set(part.units) - taken) < part.needs for part in self.parts)


def together(things: Sequence[Thing]) -> Thing:
    """One thing that is up only while all of these are."""
    first, *others = things
    return replace(first, name=" and ".join(one.name for one in things), also=(*first.also, *others))


def components_of(scenario: Scenario, file: str) -> list[Component]:
    """The background failures as components. BadInput when there are none, or one does not take its target away."""
    topology = Topology(scenario.system)
    background = scenario.schedule.background
    if not background:
        example = "schedule.background='[{target: service/web, mtbf: 30d, mttr: 1h}]'"
        message = f"names nothing that fails by itself; name it in the file, or with --set {example}"
        raise BadInput([Problem(file, None, None, "schedule.background", None, message)])
    problems = [
        Problem(file, None, None, f"schedule.background.{number}.fault", one.fault, _uncounted(), nearest(one.fault, COUNTED))
        for number, one in enumerate(background)
        if one.fault not in COUNTED
    ]
    if problems:
        raise BadInput(problems)
    voting = frozenset(f"zone/{zone}" for policy in scenario.policies.databases.values() for zone in policy.voters)
    found = [component for number, one in enumerate(background) for component in _members(topology, one, number, voting)]
    return [one for one in found if one.takes]


def things_of(scenario: Scenario, components: list[Component], needs: Mapping[str, int], file: str) -> list[Thing]:
    """What the components can take down, with how many units each needs unless said. BadInput for a need that cannot be.

    A service or provider needs one; a database, whatever is said, those without which it takes no writes: the primary, the replicas that have to confirm
    a write where it blocks without them, and most of its voters where a primary has to stop without them.
    """
    topology = Topology(scenario.system)
    units: dict[str, tuple[Ref, ...]] = {f"service/{name}": topology.instances_of(name) for name in scenario.system.services}
    units |= {f"database/{name}": topology.nodes_of(name) for name in scenario.system.databases}
    units |= {f"provider/{name}": (ProviderRef(name),) for name in scenario.system.providers}
    problems = []
    for name, count in needs.items():
        if name not in units:
            message = "is no service, database or provider of the system"
            problems.append(Problem(file, None, None, "--need", name, message, nearest(name, units)))
        elif not 1 <= count <= len(units[name]):
            message = f"{name} has {len(units[name])} units, so 1 to {len(units[name])} of them can be needed"
            problems.append(Problem(file, None, None, "--need", str(count), message))
    if problems:
        raise BadInput(problems)
    taken = frozenset[str]().union(*(one.takes for one in components))
    found = [_thing(scenario, name, tuple(map(str, refs)), needs.get(name)) for name, refs in units.items()]
    return [one for one in found if one.name in needs or taken & one.everything]


def _thing(scenario: Scenario, name: str, units: tuple[str, ...], needs: int | None) -> Thing:
    kind, _, short = name.partition("/")
    if kind != "database":
        return Thing(name, units, needs or 1)
    database, policy = scenario.system.databases[short], scenario.policies.databases.get(short)
    blocks = database.when_replicas_are_lost == "block"
    confirming = {"asynchronous": 0, "synchronous": min(1, len(units) - 1), "quorum": len(units) // 2}[database.replication]
    also: tuple[Thing, ...] = ()
    if policy is not None and policy.mode == "automatic" and policy.quorum == "majority" and policy.fence:
        voters = tuple(f"zone/{zone}" for zone in policy.voters) or units
        also = (Thing(f"voters of {name}", voters, len(voters) // 2 + 1),)
    return Thing(name, units, max(needs or 1, 1 + (confirming if blocks else 0)), also)


def _uncounted() -> str:
    return f"does not take its target away as a whole, so it is no outage; counted are {', '.join(sorted(COUNTED))}"


def _members(topology: Topology, failures: Background, number: int, voting: frozenset[str]) -> Iterator[Component]:
    selector = Selector.parse(failures.target)
    for member in (selector,) if failures.together else topology.members(selector):
        refs = topology.resolve(member)
        takes = frozenset(str(ref) for ref in refs if isinstance(ref, InstanceRef | NodeRef | ProviderRef))
        takes |= voting & {str(ref) for ref in refs if isinstance(ref, ZoneRef)}
        yield Component(f"{member} #{number}", failures.mtbf, failures.mttr, takes)
