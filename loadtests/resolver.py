"""Where the clients of an origin go: by the public name and its time to live where the target has a DNS server, else to their region.

The rule that surprises: an address that is cached is used until its time is over, however dead the place behind it is. That is what makes
the tail of a move by DNS.
"""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from gameday.target import Target
from gameday.wire import Found, dns_answer, dns_question

TIMEOUT_S = 1.0


@dataclass(slots=True)
class Resolver:
    """One population of clients behind one cache."""

    target: Target
    region: str
    """Where it goes when there is no DNS server."""
    _found: Found | None = None
    _until: float = 0.0
    _regions: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._regions = {urlsplit(url).hostname or "": region for region, url in self.target.entries.items()}

    def place(self) -> tuple[str, str] | None:
        """Region and address of the entry to ask now; None when the name cannot be resolved."""
        public = self.target.public
        if public is None or public.resolver is None:
            entry = self.target.entries.get(self.region)
            return (self.region, entry.rstrip("/")) if entry else None
        if time.monotonic() >= self._until:
            found = self._ask(public.resolver, public.name)
            if found is None or not found.addresses:
                return None
            self._found, self._until = found, time.monotonic() + found.ttl_s
        assert self._found is not None, "a cache that is fresh holds something"
        known = [address for address in self._found.addresses if address in self._regions]
        regions = {self._regions[address]: address for address in known}
        if not regions:
            return None
        region = self.region if self.region in regions else next(iter(regions))
        return region, self.target.entries[region].rstrip("/")

    @staticmethod
    def _ask(resolver: str, name: str) -> Found | None:
        host, _, port = resolver.rpartition(":")
        number = int.from_bytes(os.urandom(2), "big")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
            opened.settimeout(TIMEOUT_S)
            try:
                opened.sendto(dns_question(name, number), (host, int(port)))
                return dns_answer(opened.recv(4096), number)
            except OSError:
                return None
