"""Which region clients go to: populations of resolver caches that learn a changed record only when their copy expires.

Each origin has `dns.resolvers` caches of equal weight, their expiries spread evenly over the time to live; a share of them keeps an
expired address for a further exponential time. The rule that surprises: while resolution is broken nothing happens at first, caches
live on; a cache that expires then has no address, and its clients fail until a later try succeeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from sim.processes import Process

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.world import World

STEP_S = 1.0
"""Refreshes of many caches are played second by second."""
FEW = 100
"""Caches of an origin up to which each refreshes at its own instant: each is a percent of the clients, or more."""
TRY_AGAIN_S = 5.0
"""Time after which a failed resolution is tried again: the usual timeout of a stub resolver (`options timeout:5` of resolv.conf)."""
LEAST_S = 1e-3
"""Refreshes that are closer together are one."""
_NONE = -1


class _Caches:
    """The caches of one origin. `holds` is the position of a region, or -1 for no address."""

    def __init__(self, world: World, origin: str, home: int, ttl_s: float) -> None:
        dns = world.scenario.system.traffic.dns
        self._generator = world.streams.generator(f"dns/{origin}")
        self._ttl_s = ttl_s
        self._ignore_for_s = dns.ignore_for
        self.answer = home
        self.holds = np.full(dns.resolvers, home, dtype=np.int64)
        self.behind = 0
        """How many have not the record's present answer."""
        self._expires = self._generator.random(dns.resolvers) * ttl_s
        self._keeps = self._generator.random(dns.resolvers) < dns.ignore_ttl
        self._expires[self._keeps] += self._generator.exponential(dns.ignore_for, int(self._keeps.sum()))

    def roll(self, now: float) -> None:
        """Bring the expiries of caches that had nothing new to learn up to the present."""
        idle = self._expires < now
        if self._ttl_s > 0.0:
            periods = np.ceil((now - self._expires[idle]) / self._ttl_s)
            self._expires[idle] += periods * self._ttl_s
        else:
            self._expires[idle] = now
        late = idle & self._keeps
        self._expires[late] += self._generator.exponential(self._ignore_for_s, int(late.sum()))

    def name(self, region: int) -> None:
        """The record has another answer from now on."""
        self.answer = region
        self._count()

    def follow(self) -> None:
        """Every cache that has an address has the present answer at once."""
        self.holds[self.holds != _NONE] = self.answer
        self._count()

    def _count(self) -> None:
        self.behind = int(np.count_nonzero(self.holds != self.answer))

    def refresh(self, now: float, broken_ratio: float) -> bool:
        """Every cache that has expired asks; a share of the questions fails. Whether any cache holds something else by that."""
        due = (self._expires <= now).nonzero()[0]
        if not due.size:
            return False
        fails = self._generator.random(due.size) < broken_ratio if broken_ratio > 0.0 else None
        self._expires[due] = now + max(self._ttl_s, STEP_S)
        late = due[self._keeps[due]]
        if late.size:
            held_s = self._ttl_s + self._generator.exponential(self._ignore_for_s, late.size)
            self._expires[late] = now + np.maximum(held_s, STEP_S)
        if fails is not None:
            self._expires[due[fails]] = now + TRY_AGAIN_S
            self.holds[due] = np.where(fails, _NONE, self.answer)
            self._count()
            return True
        learnt = int(np.count_nonzero(self.holds[due] != self.answer)) if self.behind else 0
        if learnt:
            self.holds[due] = self.answer
            self.behind -= learnt
        return learnt > 0

    def pause_s(self, now: float) -> float:
        """Time until there is something to refresh, at most a second."""
        if len(self.holds) > FEW:
            return STEP_S
        return float(min(max(self._expires.min() - now, LEAST_S), STEP_S))

    def counts(self, regions: int) -> NDArray[np.int64]:
        """Caches per region, and at the end those without an address."""
        return np.bincount(np.where(self.holds == _NONE, regions, self.holds), minlength=regions + 1)


class Resolvers:
    """The caches of all origins; costs nothing while no record changes and resolution works."""

    def __init__(self, world: World) -> None:
        """Starts by itself: it listens for broken resolution."""
        self._world = world
        system = world.scenario.system
        override = world.scenario.policies.failover.dns_ttl
        self.ttl_s = system.traffic.dns.ttl if override is None else override
        self._regions = list(system.regions)
        self._origins = list(world.wiring.origins)
        self._caches = {
            name: _Caches(world, name, self._regions.index(origin.region), self.ttl_s)
            for name, origin in world.wiring.origins.items()
        }
        self._applied: dict[str, list[int]] = {}
        self._running = False
        for origin in self._origins:
            self._applied[origin] = self._caches[origin].counts(len(self._regions)).tolist()
            self._sample(origin)
        world.listeners.append(self._on_world)

    # -- what is true ---------------------------------------------------------------------------------------------------

    def answer(self, origin: str) -> str:
        """The region the record of an origin names now."""
        return self._regions[self._caches[origin].answer]

    def origins_at(self, region: str) -> list[str]:
        """Origins whose record names this region."""
        return [origin for origin in self._origins if self.answer(origin) == region]

    def share(self, origin: str, region: str) -> float:
        """Share of an origin's clients that go to a region, those without an address in the denominator."""
        counts = self._applied[origin]
        return counts[self._regions.index(region)] / sum(counts)

    # -- what can be done -----------------------------------------------------------------------------------------------

    def move(self, origins: Sequence[str], region: str, *, at_once: bool = False) -> None:
        """Change the record of these origins; caches follow as they expire, or `at_once` (anycast: the address stays the same)."""
        self._start()
        place = self._regions.index(region)
        for origin in origins:
            caches = self._caches[origin]
            caches.name(place)
            if at_once:
                caches.follow()
            data = {"record": origin, "to": region, "ttl_s": 0.0 if at_once else self.ttl_s}
            self._world.record("dns.changed", f"dns/{origin}", **data)
            self._sample(origin)
            self._apply(origin)

    def _on_world(self, what: str, subject: str) -> None:  # noqa: ARG002 - there is one public name
        if what == "dns.broken":
            self._start()

    # -- the passing of time --------------------------------------------------------------------------------------------

    def _start(self) -> None:
        if not self._running:
            self._running = True
            for caches in self._caches.values():
                caches.roll(self._world.env.now)
            self._world.env.process(self._run())

    def _run(self) -> Process:
        """Refresh what has expired, until every cache has the answer and resolution works."""
        env = self._world.env
        while self._world.dns_broken or any(caches.behind for caches in self._caches.values()):
            yield env.timeout(min(caches.pause_s(env.now) for caches in self._caches.values()))
            broken = 1.0 - prod([1.0 - share for share in self._world.dns_broken])
            for origin, caches in self._caches.items():
                if caches.refresh(env.now, broken):
                    self._apply(origin)
        self._running = False

    def _apply(self, origin: str) -> None:
        """Give the entry edges the present mix, if it is another one."""
        counts: list[int] = self._caches[origin].counts(len(self._regions)).tolist()
        if counts == self._applied[origin]:
            return
        self._applied[origin] = counts
        self._sample(origin)
        without = counts[-1] / sum(counts)
        wiring = self._world.wiring
        for (name, of), edge in wiring.entries.items():
            if of != origin:
                continue
            places = wiring.services[self._world.scenario.load.classes[name].entry]
            weights: dict[int, float] = {}
            for region, count in zip(self._regions, counts, strict=False):
                if count:
                    station = places[region] if region in places else next(iter(places.values()))
                    weights[station] = weights.get(station, 0.0) + count
            self._world.set_edge(edge, options=tuple(weights.items()), dns_failed_ratio=without)

    def _sample(self, origin: str) -> None:
        now = self._world.env.now
        for region in self._regions:
            self._world.recorder.sample("dns.share", now, self.share(origin, region), origin=origin, region=region)
