"""Where everything of one engine lies in its arena, and the values Python works with itself.

The rule that surprises: whatever Python changes in a run belongs into `Tables`, because a snapshot of an engine copies it as a whole.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sim.traffic import BUCKET_EDGES_S, BUCKETS
from sim.traffic.compiled import layout as at
from sim.traffic.compiled.arena import Arena
from sim.traffic.compiled.draws import StreamTable
from sim.traffic.copying import copied
from sim.traffic.network import Path
from sim.traffic.plan import Plan


@dataclass(slots=True)
class Tables:
    """Positions of all records, and the values Python works with itself."""

    plan: Plan
    arena: Arena
    draws: StreamTable
    paths: list[list[Path]]
    path_records: int = 0
    stations: int = 0
    edges: int = 0
    flows: list[int] = field(default_factory=list)
    buckets: int = 0
    instances: list[list[int]] = field(default_factory=list)
    last_instance: int = 0
    error_ratio: list[float] = field(default_factory=list)
    slowdown: list[float] = field(default_factory=list)
    rotation_room: list[int] = field(default_factory=list)
    targets: list[list[tuple[int, int]]] = field(default_factory=list)
    """Per edge: (station, record) of its targets, in order."""
    target_room: list[int] = field(default_factory=list)
    free_targets: list[int] = field(default_factory=list)
    lossy: bool = False

    def saved(self) -> dict[str, Any]:
        """What Python works with itself, as a copy; the rest lies in the arena."""
        return copied({name: getattr(self, name) for name in self.__slots__ if name not in ("plan", "arena", "draws")})

    def bring_back(self, saved: dict[str, Any]) -> None:
        """Work with the values of when it was saved."""
        for name, value in copied(saved).items():
            setattr(self, name, value)

    def station(self, number: int) -> int:
        """Where a station's record is."""
        return self.stations + at.STATION_WORDS * number

    def edge(self, number: int) -> int:
        """Where an edge's record is."""
        return self.edges + at.EDGE_WORDS * number

    def path(self, caller_zone: int, callee_zone: int) -> int:
        """Where the record of the way between two zones is."""
        return self.path_records + at.PATH_WORDS * (caller_zone * len(self.plan.zones) + callee_zone)


def lay_out_buckets(arena: Arena) -> int:
    """The edges, and how many edges of its octave are not above a number with these first bits."""
    cells = 1 << at.FRACTION_BITS
    first = arena.take(BUCKETS + cells)
    arena.reals[first : first + BUCKETS] = BUCKET_EDGES_S
    for cell in range(cells):
        lowest_s = BUCKET_EDGES_S[0] * (1.0 + cell / cells)
        arena.word[first + BUCKETS + cell] = bisect_right(BUCKET_EDGES_S, lowest_s)
    return first


def store(tables: Tables, values: Iterable[int]) -> int:
    """A block that holds these words."""
    words = list(values)
    block = tables.arena.take(max(1, len(words)))
    for offset, value in enumerate(words):
        tables.arena.word[block + offset] = value
    return block
