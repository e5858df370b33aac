"""Caches in front of a dependency: each calling instance keeps answers by key, so that a hit needs no call.

The hit ratio is a result, never a setting: every call draws a key from a popularity, a good answer puts its key into the cache, and an entry
leaves it when its time to live is over or when it is the one not used for longest and the cache is full. So a process that has just started
misses, and when a popular entry expires many calls miss at once (a stampede), unless they join the first one's call. The rule that surprises:
who joins a call shares its outcome, good or bad, after all its retries; a fallback's answer is shared too, but not kept.
"""

from __future__ import annotations

from collections import deque
from heapq import heappush
from typing import TYPE_CHECKING

from sim.traffic.core import ANSWER, OK, PENDING, Core
from sim.traffic.plan import CachePlan
from sim.traffic.state import JOINED, Attempt, Root

if TYPE_CHECKING:
    from sim.traffic.edges import Edge


class Cache:
    """What one instance keeps for one edge: when each entry expires, the one not used for longest first."""

    __slots__ = ("entries", "fetching", "plan")

    def __init__(self, plan: CachePlan) -> None:
        self.plan = plan
        self.entries: dict[int, float] = {}
        self.fetching: dict[int, deque[Attempt]] = {}  # keys on their way, with who has joined

    def has(self, key: int, now: float) -> bool:
        """Whether a key is there and still good; it then counts as used."""
        expires_at = self.entries.pop(key, None)
        if expires_at is None or expires_at <= now:
            return False
        self.entries[key] = expires_at
        return True

    def keep(self, key: int, now: float) -> None:
        """Keep an answer that has just come."""
        self.entries.pop(key, None)
        self.entries[key] = now + self.plan.ttl_s
        if len(self.entries) > self.plan.capacity:
            del self.entries[next(iter(self.entries))]


class Caching(Core):
    """Calls over edges that have a cache."""

    def _cached_call(self, edge: Edge, parent: Attempt, root: Root) -> int:
        """Make a call unless its answer is in the cache: OK, PENDING, or why it has failed already."""
        keys, plan = edge.keys, edge.cache
        assert keys is not None, "asked only where there is a cache"
        assert plan is not None, "asked only where there is a cache"
        if not keys.pool:
            keys.refill()
        key = int(keys.pool.pop())
        caches = parent.instance.caches
        cache = caches.get(edge.index)
        if cache is None:
            cache = caches[edge.index] = Cache(plan)
        if cache.has(key, self.now):
            edge.hits += 1
            return OK
        if plan.coalesce:
            joined = cache.fetching.get(key)
            if joined is not None:
                edge.joined += 1
                joined.append(self._joining(edge, parent, root))
                return PENDING
            cache.fetching[key] = deque()
        edge.misses += 1
        self._fetch = (cache, key)
        reason = self._attempt(edge, parent, root, 0)
        self._fetch = None
        if reason != PENDING:
            cache.fetching.pop(key, None)
        return reason

    def _joining(self, edge: Edge, parent: Attempt, root: Root) -> Attempt:
        """A record for a call that waits for another one's answer."""
        waiter = Attempt()
        waiter.edge = edge
        waiter.parent = parent
        waiter.root = root
        waiter.number = 0
        waiter.stage = JOINED
        waiter.life = parent.instance.life
        waiter.open = True
        waiter.fetch = None
        return waiter

    def _fetched(self, attempt: Attempt, outcome: int) -> None:
        """A call that others may have joined is over: the first of them learns it by an event, and tells the next."""
        assert attempt.fetch is not None, "asked only about calls for caches"
        assert attempt.parent is not None, "clients have no caches"
        if attempt.parent.instance.life != attempt.life:
            return
        cache, key = attempt.fetch
        joined = cache.fetching.pop(key, None)
        if joined:
            self._pass_on(joined, outcome)

    def _pass_on(self, joined: deque[Attempt], outcome: int) -> None:
        first = joined.popleft()
        first.outcome = outcome
        first.following = joined
        heappush(self._heap, (self.now, self._tick(), ANSWER, first))

    def _learn(self, waiter: Attempt) -> None:
        """The outcome of the call it had joined reaches a caller."""
        if waiter.following:
            self._pass_on(waiter.following, waiter.outcome)
        waiter.open = False
        self._call_over(waiter, waiter.outcome)

    def _keep(self, attempt: Attempt) -> None:
        """A good answer has come, which is kept unless a fallback gave it."""
        assert attempt.fetch is not None, "asked only about calls for caches"
        assert attempt.parent is not None, "clients have no caches"
        if attempt.edge.cache is not None and attempt.parent.instance.life == attempt.life:
            cache, key = attempt.fetch
            cache.keep(key, self.now)
