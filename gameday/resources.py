"""References: one value per thing of a system that can be hit, printed as the selector that names exactly it.

The rule that surprises: they are compared field by field within a kind; between kinds `in_order` decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, order=True)
class ZoneRef:
    """A zone itself: its power, its network, its monitoring."""

    zone: str

    def __str__(self) -> str:
        return f"zone/{self.zone}"


@dataclass(frozen=True, slots=True, order=True)
class InstanceRef:
    """One instance of a service; `index` counts from 0 in its zone."""

    service: str
    zone: str
    index: int

    def __str__(self) -> str:
        return f"instance/{self.service}@{self.zone}/{self.index}"


@dataclass(frozen=True, slots=True, order=True)
class NodeRef:
    """One node of a database; it has one per zone."""

    database: str
    zone: str

    def __str__(self) -> str:
        return f"database/{self.database}@{self.zone}"


@dataclass(frozen=True, slots=True, order=True)
class QueueRef:
    """A message queue in one region (the regions its consumer runs in)."""

    queue: str
    region: str

    def __str__(self) -> str:
        return f"queue/{self.queue}@{self.region}"


@dataclass(frozen=True, slots=True, order=True)
class ProviderRef:
    """A third party."""

    provider: str

    def __str__(self) -> str:
        return f"provider/{self.provider}"


@dataclass(frozen=True, slots=True, order=True)
class LinkRef:
    """One direction between two places; each is a zone, `internet`, or `provider/<name>`."""

    source_zone: str
    target_zone: str

    def __str__(self) -> str:
        return f"link/{self.source_zone}->{self.target_zone}"


@dataclass(frozen=True, slots=True, order=True)
class DependencyRef:
    """All calls from a service to one target, written in full (`service/catalog`)."""

    service: str
    target: str

    def __str__(self) -> str:
        return f"dependency/{self.service}->{self.target.removeprefix('service/')}"


@dataclass(frozen=True, slots=True, order=True)
class DnsRef:
    """The public name."""

    def __str__(self) -> str:
        return "dns"


Ref = ZoneRef | InstanceRef | NodeRef | QueueRef | ProviderRef | LinkRef | DependencyRef | DnsRef
"""One thing that can be hit."""

_ORDER: dict[type[Ref], int] = {
    kind: number
    for number, kind in enumerate((ZoneRef, InstanceRef, NodeRef, QueueRef, ProviderRef, LinkRef, DependencyRef, DnsRef))
}


def in_order(refs: Iterable[Ref]) -> tuple[Ref, ...]:
    """References in one fixed order, by kind and then by name; sets have none that may reach a timeline."""
    return tuple(sorted(refs, key=lambda ref: (_ORDER[type(ref)], _fields(ref))))


def _fields(ref: Ref) -> tuple[str | int, ...]:
    return tuple(getattr(ref, each.name) for each in fields(ref))
