"""What can be chosen about a lab before it starts. Everything else is the lab."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Settings:
    """Choices of one lab, written into its folder."""

    synchronous: bool = False
    """Whether a commit waits for the standby (Patroni's `synchronous_mode`)."""
    no_traffic_interval_s: float = 1.0
    """How often a gateway looks at a host it has not sent anything to. Envoy's default is 60 s, which hides a new primary that long."""
    lease_s: int = 20
    """Patroni's `ttl`: a silent primary keeps its leadership this long."""
    heartbeat_s: int = 5
    """Patroni's `loop_wait`. Its rule: loop_wait + 2 x retry_timeout (5 s) <= ttl."""

    def as_json(self) -> dict[str, Any]:
        """For state.json."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """What `as_json` wrote; fields of other versions are left out."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in found.items() if name in known})
