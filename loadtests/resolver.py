"""Where the clients of an origin go: by the public name and its time to live where the target has a DNS server, else to their region.

The clients of an origin share `CACHES` resolver caches; each request is of a client behind one of them, drawn at random. When the day
begins the caches are at random points of their time to live, and a share does not obey it, as the scenario says (`system.traffic.dns`).
"""

from __future__ import annotations

import os
import socket
import time
from random import Random
from typing import Final

from gameday.resolver_cache import ResolverCache
from gameday.scenario.system import Dns
from gameday.target import Target
from gameday.wire import Found, dns_answer, dns_question

TIMEOUT_S: Final = 1.0
CACHES: Final = 20
"""Caches per origin and class. A cache asks only when it is asked, so there have to be fewer of them than requests in a time to live."""


class Population:
    """The clients of one origin."""

    def __init__(self, target: Target, region: str, dns: Dns, random: Random, ttl_s: float) -> None:
        """`region`: theirs; `ttl_s`: the record's time to live when the day begins."""
        self._target, self._region, self._random = target, region, random
        self._keeps_s = [
            random.expovariate(1.0 / dns.ignore_for) if random.random() < dns.ignore_ttl else 0.0 for _ in range(CACHES)
        ]
        self._caches = [ResolverCache(target.entries, region, random.uniform(0.0, ttl_s)) for _ in range(CACHES)]

    def place(self) -> tuple[str, str] | None:
        """Region and address of the entry to ask now; None when the name cannot be resolved."""
        public = self._target.public
        if public is None or public.resolver is None:
            entry = self._target.entries.get(self._region)
            return (self._region, entry.rstrip("/")) if entry else None
        number = self._random.randrange(CACHES)
        cache = self._caches[number]
        if cache.must_ask(time.monotonic()):
            cache.learn(asked(public.resolver, public.name), time.monotonic(), self._keeps_s[number])
        return cache.place()


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
