"""What fails by itself in a scenario, and what is up as long as enough of it is: the model of long-run availability.

The rule that surprises: a zone or a region is a component of its own. Its failure takes every instance and node in it at once, however well
each of them holds; that is the common cause, and it comes from where things are placed, not from a number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gameday.errors import BadInput, Problem, nearest
from gameday.resources import InstanceRef, NodeRef, ProviderRef, Ref
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
    found = [component for number, one in enumerate(background) for component in _members(topology, one, number)]
    return [one for one in found if one.takes]


def things_of(scenario: Scenario, components: list[Component], needs: Mapping[str, int], file: str) -> list[Thing]:
    """What the components can take down, with how many units each needs (1 unless said). BadInput for a need that cannot be."""
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
    found = {name: tuple(map(str, refs)) for name, refs in units.items()}
    return [Thing(name, refs, needs.get(name, 1)) for name, refs in found.items() if name in needs or taken & set(refs)]


def _uncounted() -> str:
    return f"does not take its target away as a whole, so it is no outage; counted are {', '.join(sorted(COUNTED))}"


def _members(topology: Topology, failures: Background, number: int) -> Iterator[Component]:
    for member in topology.members(Selector.parse(failures.target)):
        refs = topology.resolve(member)
        takes = frozenset(str(ref) for ref in refs if isinstance(ref, InstanceRef | NodeRef | ProviderRef))
        yield Component(f"{member} #{number}", failures.mtbf, failures.mttr, takes)
