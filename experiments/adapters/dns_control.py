"""A DNS server that can be told what to answer: records, their time to live, and a share of lookups that fail."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from experiments.calls import call


class DnsControl:
    """The server's HTTP interface."""

    def __init__(self, control: str) -> None:
        self._control = control.rstrip("/")

    def records(self) -> dict[str, Any]:
        """All records by name."""
        found = call("GET", f"{self._control}/records")
        assert isinstance(found, dict), "the DNS server answers with a mapping"
        return dict(found.get("records", found))

    def point(self, name: str, record: dict[str, Any]) -> None:
        """Set a record: `{"address": ..., "ttl": ...}` or `{"addresses": {region: ...}, "ttl": ...}`."""
        call("PUT", self.address(name), record)

    def address(self, name: str) -> str:
        """Where a record is set."""
        return f"{self._control}/records/{quote(name)}"

    def break_share(self, share: float) -> None:
        """Let a share of lookups fail."""
        call("POST", f"{self._control}/break", {"share": share})

    def mend(self) -> None:
        """Answer every lookup again."""
        call("POST", f"{self._control}/mend")
