"""A client's copy of a public name: addresses, and until when they may be used. It asks nobody; whoever asks tells it the answer.

The rule that surprises: an address that is cached is used until its time is over, however dead the place behind it is. That is what makes
the tail of a move by DNS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from gameday.wire import Found


@dataclass(slots=True)
class ResolverCache:
    """One cache and the clients behind it."""

    entries: Mapping[str, str]
    """Region to the address of its entry."""
    home: str
    """Region its clients are in: where the name has several addresses they take the one of their region."""
    first_for_s: float | None = None
    """How long the first answer is kept at most: a cache that was there before the day began is somewhere within its time to live."""
    _regions: tuple[str, ...] = ()
    _until: float = float("-inf")

    def must_ask(self, now: float) -> bool:
        """Whether what it holds is too old, or nothing."""
        return now >= self._until or not self._regions

    def due_in_s(self, now: float, again_s: float) -> float:
        """Time until what it holds is too old; `again_s` where it holds nothing and has to try again."""
        return max(0.0, self._until - now) if self._regions else again_s

    def learn(self, found: Found | None, now: float, longer_s: float = 0.0) -> None:
        """Take in an answer (None = there was none); `longer_s`: kept beyond its time to live by who does not obey it."""
        by_host = {urlsplit(url).hostname or "": region for region, url in self.entries.items()}
        addresses = found.addresses if found is not None else ()
        self._regions = tuple(by_host[each] for each in addresses if each in by_host)
        ttl_s = found.ttl_s if found is not None else 0.0
        if self.first_for_s is not None:
            ttl_s, self.first_for_s = min(ttl_s, self.first_for_s), None
        self._until = now + ttl_s + longer_s

    def place(self) -> tuple[str, str] | None:
        """Region and address to go to; None when it knows none."""
        if not self._regions:
            return None
        region = self.home if self.home in self._regions else self._regions[0]
        return region, self.entries[region].rstrip("/")
