"""Envoy's administration interface: requests to a service are failed by its fault filter, a listener is drained.

The rule that surprises: the keys of the runtime are named in the target file. Which ones a fault filter listens to is up to the
configuration of that Envoy, and a key that nobody listens to would change nothing and say nothing.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from experiments.calls import call


class Envoy:
    """One Envoy."""

    def __init__(self, admin: str) -> None:
        self._admin = admin.rstrip("/")

    def ready(self) -> bool:
        """Whether it serves."""
        return str(call("GET", f"{self._admin}/ready")).strip() == "LIVE"

    def runtime(self, key: str) -> float:
        """The value of a runtime key; 0 where it was never set."""
        found: dict[str, Any] = call("GET", f"{self._admin}/runtime?format=json")
        value = found.get("entries", {}).get(key, {}).get("final_value", "") or "0"
        return float(value)

    def set_runtime(self, key: str, value: float) -> None:
        """Set a key; 0 takes it away."""
        text = f"{value:g}" if value else ""
        call("POST", f"{self._admin}/runtime_modify?{quote(key)}={text}")

    def drain(self) -> None:
        """Tell clients to go elsewhere: connections are closed after their requests, health checks fail."""
        call("POST", f"{self._admin}/healthcheck/fail")

    def undrain(self) -> None:
        """Undo `drain`."""
        call("POST", f"{self._admin}/healthcheck/ok")
