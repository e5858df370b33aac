"""A layered layout of a directed graph: columns by longest path, order within a column by barycentre, long edges by way-points.

The rule that surprises: a cycle does not hang it; an edge that closes a cycle (in the order given) is drawn but does not count for the
columns. The method is Sugiyama's (1981) without its last refinement.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_SWEEPS: Final = 12
_BEND_HEIGHT: Final = 0.4
"""Room a way-point takes in its column, as a share of a node's."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is: column from 0, height from 0 at the top in units of a node; way-points of edges that cross columns."""

    column: Mapping[str, int]
    height: Mapping[str, float]
    bends: Mapping[tuple[str, str], tuple[tuple[int, float], ...]]
    columns: int
    rows: float


def layered(nodes: Sequence[str], edges: Iterable[tuple[str, str]], at_least: Mapping[str, int] | None = None) -> Layout:
    """Lay out the graph; `at_least` names the first column a node may stand in."""
    given = [(a, b) for a, b in dict.fromkeys(edges) if a != b]
    forward = _without_cycles(nodes, given)
    column = _columns(nodes, forward, at_least or {})
    chains: dict[tuple[str, str], list[str]] = {}
    stacks: list[list[str]] = [[] for _ in range(1 + max(column.values(), default=0))]
    for node in nodes:
        stacks[column[node]].append(node)
    links: list[tuple[str, str]] = []
    for a, b in forward:
        chain = [a]
        for between in range(column[a] + 1, column[b]):
            bend = f"\0{a}\0{b}\0{between}"
            stacks[between].append(bend)
            chain.append(bend)
        chain.append(b)
        chains[a, b] = chain
        links += itertools.pairwise(chain)
    _order(stacks, links)
    height = _heights(stacks, links)
    rows = max((value for value in height.values()), default=0.0) + 1.0
    place = {name: number for number, stack in enumerate(stacks) for name in stack}
    bends = {edge: tuple((place[name], height[name]) for name in chain[1:-1]) for edge, chain in chains.items()}
    return Layout(column, {node: height[node] for node in nodes}, bends, len(stacks), rows)


def _without_cycles(nodes: Sequence[str], edges: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The edges without those that lead back to where a walk came from; each node is looked at once."""
    after: dict[str, list[str]] = {node: [] for node in nodes}
    for a, b in edges:
        after[a].append(b)
    kept: list[tuple[str, str]] = []
    done: set[str] = set()
    for root in nodes:
        path: list[str] = []
        waiting: list[tuple[str, bool]] = [(root, False)]
        while waiting:
            node, leaving = waiting.pop()
            if leaving:
                path.pop()
                done.add(node)
                continue
            if node in done or node in path:
                continue
            path.append(node)
            waiting.append((node, True))
            for target in after[node]:
                if target not in path:
                    kept.append((node, target))
                    waiting.append((target, False))
    wanted = set(kept)
    return [edge for edge in edges if edge in wanted]


def _columns(nodes: Sequence[str], edges: Sequence[tuple[str, str]], at_least: Mapping[str, int]) -> dict[str, int]:
    """Longest path from the left; every pass moves at least one node, so as many passes as nodes are enough."""
    column = {node: at_least.get(node, 0) for node in nodes}
    for _ in nodes:
        moved = False
        for a, b in edges:
            if column[b] <= column[a]:
                column[b] = column[a] + 1
                moved = True
        if not moved:
            break
    return column


def _order(stacks: list[list[str]], links: Sequence[tuple[str, str]]) -> None:
    """Sort each column by the mean place of its neighbours, from the left, then from the right, and keep the best seen."""
    before: dict[str, list[str]] = {}
    after: dict[str, list[str]] = {}
    for a, b in links:
        before.setdefault(b, []).append(a)
        after.setdefault(a, []).append(b)
    best, fewest = [list(stack) for stack in stacks], _crossings(stacks, links)
    for sweep in range(_SWEEPS):
        neighbours = before if sweep % 2 == 0 else after
        numbers = range(len(stacks)) if sweep % 2 == 0 else range(len(stacks) - 1, -1, -1)
        for number in numbers:
            place = {name: i for stack in stacks for i, name in enumerate(stack)}

            def barycentre(name: str, place: Mapping[str, int] = place, near: Mapping[str, list[str]] = neighbours) -> float:
                found = near.get(name)
                return sum(place[other] for other in found) / len(found) if found else float(place[name])

            stacks[number].sort(key=barycentre)
        crossings = _crossings(stacks, links)
        if crossings < fewest:
            best, fewest = [list(stack) for stack in stacks], crossings
    stacks[:] = best


def _crossings(stacks: Sequence[Sequence[str]], links: Sequence[tuple[str, str]]) -> int:
    place = {name: (number, i) for number, stack in enumerate(stacks) for i, name in enumerate(stack)}
    count = 0
    for number in range(len(stacks) - 1):
        ends = [(place[a][1], place[b][1]) for a, b in links if place[a][0] == number]
        count += sum((a - c) * (b - d) < 0 for i, (a, b) in enumerate(ends) for c, d in ends[:i])
    return count


def _heights(stacks: Sequence[Sequence[str]], links: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Pull each node to the middle of its neighbours, then push a column apart where nodes come too close."""
    size = {name: _BEND_HEIGHT if name.startswith("\0") else 1.0 for stack in stacks for name in stack}
    tallest = max((sum(size[name] for name in stack) for stack in stacks), default=0.0)
    height: dict[str, float] = {}
    for stack in stacks:
        top = (tallest - sum(size[name] for name in stack)) / 2
        for name in stack:
            height[name] = top + size[name] / 2 - 0.5
            top += size[name]
    near: dict[str, list[str]] = {}
    for a, b in links:
        near.setdefault(a, []).append(b)
        near.setdefault(b, []).append(a)
    for _ in range(_SWEEPS):
        for stack in stacks:
            wanted = [sum(height[o] for o in near[n]) / len(near[n]) if n in near else height[n] for n in stack]
            height.update(zip(stack, _apart(wanted, [size[name] for name in stack], tallest), strict=True))
    lowest = min(height.values(), default=0.0)
    return {name: value - lowest for name, value in height.items()}


def _apart(wanted: Sequence[float], sizes: Sequence[float], tallest: float) -> list[float]:
    """The wanted heights, in their order, moved as little as a pass down and a pass up can do until nothing overlaps."""
    down: list[float] = []
    for i, value in enumerate(wanted):
        least = -0.5 + sizes[0] / 2 if i == 0 else down[-1] + (sizes[i - 1] + sizes[i]) / 2
        down.append(max(value, least))
    placed = list(down)
    for i in range(len(placed) - 1, -1, -1):
        most = tallest - 0.5 - sizes[i] / 2 if i == len(placed) - 1 else placed[i + 1] - (sizes[i] + sizes[i + 1]) / 2
        placed[i] = min(placed[i], most)
    return placed
