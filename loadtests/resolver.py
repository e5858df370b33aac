"""Where the clients of an origin go: by the public name and its time to live where the target has a DNS server, else to their region.

The clients of an origin share `CACHES` resolver caches; each request is of a client behind one of them, drawn at random. They stand for
caches with many clients, so each asks again when its time is over and waits for no request of ours. When one goes to another region it says
so, because the requests of its clients would show it only by and by. When the day begins they are at
random points of their time to live, and a share does not obey it, as the scenario says (`system.traffic.dns`).
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from random import Random
from typing import Final

from gameday.load_stream import NOWHERE
from gameday.resolver_cache import ResolverCache
from gameday.scenario.system import Dns
from gameday.target import Target
from gameday.wire import Found, dns_answer, dns_question

TIMEOUT_S: Final = 1.0
CACHES: Final = 20
"""Caches per origin and class."""
REFRESH_EVERY_S: Final = 1.0
"""The longest time between two looks whether the time of a cache is over, and that after which a failed question is asked again."""
LEAST_PAUSE_S: Final = 0.02


class Population:
    """The clients of one origin."""

    def __init__(
        self, target: Target, region: str, dns: Dns, random: Random, ttl_s: float, moved: Callable[[str | None, str], None]
    ) -> None:
        """`region`: theirs; `ttl_s`: the record's time to live when the day begins; `moved`: told from where (None: it is new) and to where a cache went."""
        self._target, self._region, self._random, self._moved = target, region, random, moved
        self._keeps_s = [
            random.expovariate(1.0 / dns.ignore_for) if random.random() < dns.ignore_ttl else 0.0 for _ in range(CACHES)
        ]
        self._at: dict[int, str | None] = dict.fromkeys(range(CACHES))
        self._caches = [ResolverCache(target.entries, region, random.uniform(0.0, ttl_s)) for _ in range(CACHES)]

    def place(self) -> tuple[str, str] | None:
        """Region and address of the entry to ask now; None when the name cannot be resolved."""
        public = self._target.public
        if public is None or public.resolver is None:
            entry = self._target.entries.get(self._region)
            return (self._region, entry.rstrip("/")) if entry else None
        number = self._random.randrange(CACHES)
        self._renew(number, public.resolver, public.name)
        return self._caches[number].place()

    def renew_all(self) -> None:
        """Every cache whose time is over asks again."""
        public = self._target.public
        if public is not None and public.resolver is not None:
            for number in range(CACHES):
                self._renew(number, public.resolver, public.name)

    def pause_s(self) -> float:
        """Time until a cache has to ask again, at most a second."""
        now = time.monotonic()
        due_s = min(cache.due_in_s(now, REFRESH_EVERY_S) for cache in self._caches)
        return min(max(due_s, LEAST_PAUSE_S), REFRESH_EVERY_S)

    def _renew(self, number: int, resolver: str, name: str) -> None:
        cache = self._caches[number]
        if cache.must_ask(time.monotonic()):
            cache.learn(asked(resolver, name), time.monotonic(), self._keeps_s[number])
            place, before = cache.place(), self._at[number]
            after = place[0] if place is not None else NOWHERE
            if after != before:
                self._at[number] = after
                self._moved(before, after)


def asked(resolver: str, name: str) -> Found | None:
    """What a DNS server answers; None when it does not, or says that it cannot say."""
    host, _, port = resolver.rpartition(":")
    number = int.from_bytes(os.urandom(2), "big")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.settimeout(TIMEOUT_S)
        try:
            opened.sendto(dns_question(name, number), (host, int(port)))
            return dns_answer(opened.recv(4096), number)
        except OSError:
            return None
