"""What is observed of the compiled engine: an `Observation` whose parts are read from the arena when somebody asks for them.

The rule that surprises: what nobody asks for is never read, which is most of it at most instants. A part that was read stays as it is
until the next `observe`.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.traffic import BUCKETS, Observation
from sim.traffic.compiled import layout as at
from sim.traffic.compiled.stepping import GAUGE
from sim.traffic.compiled.tables import Tables

_GAUGED = ("arrived", "completed", "failed", "busy", "queued", "slots", "shed_below_limit")
_WRITES = ("reads", "writes_attempted", "writes_acknowledged", "writes_indeterminate")
_CALLS = ("attempts", "failures", "retries", "skipped", "cancelled", "hedges")
_CACHES = ("hits", "misses", "joined")
_BY_PRIORITY = {"refused_by": at.S_REFUSED_BY, "admitted_by": at.S_ADMITTED_BY, "dropped_by": at.S_DROPPED_BY}


class View(Observation):
    """The observation of one engine, the same object for its life."""

    __slots__ = ("_arena", "_gauged", "_known", "_parts", "_positions", "_readers", "_requests", "_tables")

    def __init__(self, tables: Tables) -> None:
        """Nothing is read yet."""
        self._tables, self._arena = tables, tables.arena
        self._gauged = False
        self._known: list[str] = []
        records = np.array(tables.flows, dtype=np.int64)
        self._positions = {
            name: np.ascontiguousarray(records[:, None] + np.arange(first, first + width))
            for name, first, width in (
                ("offered", at.F_OFFERED, 1),
                ("good", at.F_GOOD, 1),
                ("lost", at.F_LOST, at.REASONS),
                ("latency", at.F_LATENCY, BUCKETS),
            )
        }
        totals = (records + first for first in (at.F_OFFERED, at.F_GOOD, at.F_LOST_ALL))
        self._requests = np.concatenate([*totals])
        self._readers: dict[str, Callable[[], None]] = {
            "offered": self._read_offered,
            "good": self._read_good,
            "lost": lambda: self._keep("lost", self._flows("lost").tolist()),
            "latency": lambda: self._keep("latency", self._flows("latency").tolist()),
            "entered": self._read_entered,
            "busy_s": self._read_busy_s,
            "dead_letters": lambda: self._keep("dead_letters", self._parts["stations"][:, at.S_DEAD_LETTERS].tolist()),
            "breaker_open": lambda: self._keep("breaker_open", (self._parts["edges"][:, at.E_STATE] != 0).tolist()),
            **dict.fromkeys((*_GAUGED, *_WRITES), self._read_stations),
            **dict.fromkeys(_CALLS, self._read_calls),
            **dict.fromkeys(_CACHES, self._read_caches),
            **dict.fromkeys(_BY_PRIORITY, self._read_by_priority),
        }
        self._look()

    def renew(self) -> None:
        """Forget what was read; from now on the present instant is seen."""
        for name in self._known:
            delattr(self, name)
        self._known.clear()
        self._gauged = False
        if self._arena.grown:
            self._look()

    def requests(self) -> list[int]:
        """Offered requests of every flow, then good ones, then lost ones."""
        found: list[int] = self._arena.words.take(self._requests).tolist()
        return found

    def histograms(self) -> npt.NDArray[np.int64]:
        """`latency` as a copy."""
        return self._flows("latency")

    def __getattr__(self, name: str) -> Any:
        """Read the part a name belongs to: Python asks here for what has no value."""
        if name not in self._readers:
            raise AttributeError(name)
        self._readers[name]()
        return getattr(self, name)

    def __deepcopy__(self, memo: dict[int, Any]) -> Observation:
        """Everything as it is now, which stays so."""
        return Observation(**{part.name: deepcopy(getattr(self, part.name), memo) for part in fields(Observation)})

    def _keep(self, name: str, value: object) -> None:
        setattr(self, name, value)
        self._known.append(name)

    def _look(self) -> None:
        """Views of the parts of the arena that are observed; a larger arena needs new ones."""
        tables, arena = self._tables, self._arena
        arena.grown = False
        stations, edges = len(tables.plan.stations), len(tables.plan.edges)
        at_stations = slice(tables.stations, tables.stations + stations * at.STATION_WORDS)
        at_edges = slice(tables.edges, tables.edges + edges * at.EDGE_WORDS)
        self._parts: dict[str, npt.NDArray[Any]] = {
            "stations": arena.words[at_stations].reshape(stations, at.STATION_WORDS),
            "seconds": arena.reals[at_stations].reshape(stations, at.STATION_WORDS),
            "edges": arena.words[at_edges].reshape(edges, at.EDGE_WORDS),
        }

    def _gauge(self) -> None:
        if not self._gauged:
            self._arena.ask(GAUGE, self._tables.stations, len(self._tables.plan.stations))
            self._gauged = True

    def _flows(self, name: str) -> npt.NDArray[np.int64]:
        return self._arena.words.take(self._positions[name])

    def _read_offered(self) -> None:
        self._keep("offered", self._flows("offered").ravel().tolist())

    def _read_good(self) -> None:
        self._keep("good", self._flows("good").ravel().tolist())

    def _read_entered(self) -> None:
        """Stations in the order in which they first had a request."""
        word, found = self._arena.word, []
        for flow in self._tables.flows:
            pairs, places = word[flow + at.F_ENTERED], word[flow + at.F_PLACES]
            entered = {}
            for station in word[places : places + word[flow + at.F_PLACE_COUNT]]:
                pair = pairs + 2 * station
                entered[station] = [word[pair], word[pair + 1]]
            found.append(entered)
        self._keep("entered", found)

    def _read_stations(self) -> None:
        self._gauge()
        counts = self._parts["stations"][:, at.S_ARRIVED : at.S_REFUSED_BY].T.tolist()
        for name, values in zip((*_GAUGED, *_WRITES), counts, strict=True):
            self._keep(name, values)

    def _read_busy_s(self) -> None:
        self._gauge()
        self._keep("busy_s", self._parts["seconds"][:, at.S_BUSY_NOW_S].tolist())

    def _read_by_priority(self) -> None:
        for name, first in _BY_PRIORITY.items():
            self._keep(name, self._parts["stations"][:, first : first + 3].tolist())

    def _read_calls(self) -> None:
        counts = self._parts["edges"][:, at.E_ATTEMPTS : at.E_HEDGED + 1].T.tolist()
        for name, values in zip(_CALLS, counts, strict=True):
            self._keep(name, values)

    def _read_caches(self) -> None:
        counts = self._parts["edges"][:, at.E_HITS : at.E_JOINED + 1].T.tolist()
        for name, values in zip(_CACHES, counts, strict=True):
            self._keep(name, values)
