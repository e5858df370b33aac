"""What a description holds: plain values, every one of which can be written as JSON.

The rule that surprises: everything whose name ends in `_estimate` was computed from means, without queues, retries and failures. It
says where to look; what happens, only a run says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gameday.scenario.model import Scenario


@dataclass(frozen=True, slots=True)
class CallFacts:
    """One kind of call a service makes, and its policies."""

    to: str
    operation: str
    required: bool
    mode: str
    calls: float
    timeout_s: float | None
    """Time an attempt may take, with the default of what is called; None for a queue."""
    attempts: int
    """Attempts in all, the first included."""
    retry_budget_ratio: float | None
    breaker: bool
    fallback: str | None
    classes: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class DemandFacts:
    """What comes to one place, against what it could do."""

    place: str
    """`web@eu-1`, `database/orders@eu-1a`, `provider/cards`."""
    slots: int
    capacity_per_s_estimate: float | None
    """Slots over the mean time a request holds one; None when nothing comes here."""
    peak_per_s_estimate: float
    """Most requests a second that come here in normal operation."""
    peak_at_s: float
    peak_utilisation_estimate: float
    """Highest share of the slots that the load needs; above 1 it cannot be served."""


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """A service."""

    name: str
    layer: int
    """Calls away from the clients, on the longest way; 1 = entry. 0 = no class of requests gets here."""
    tier: int
    owner: str | None
    runbook: str | None
    instances: Mapping[str, tuple[int, ...]]
    """Region to the number of instances in each of its zones."""
    slots: int
    """Of one instance."""
    calls: tuple[CallFacts, ...]


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """A datastore."""

    name: str
    owner: str | None
    primary: str
    replicas: tuple[str, ...]
    replication: str
    promotion: str
    """automatic, manual or none."""


@dataclass(frozen=True, slots=True)
class ScheduleFacts:
    """One line of the plan of the day."""

    at_s: float | None
    """None for background failures, which come at any time."""
    until_s: float | None
    what: str
    target: str
    details: str
    mended_by: str | None
    """The mitigation that ends it early, for faults."""


@dataclass(frozen=True, slots=True)
class BlastFacts:
    """What one fault takes with it, in words."""

    fault: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Description:
    """What is in a scenario, and what is worth reading before the day."""

    scenario: Scenario
    name: str
    title: str
    teaches: str
    starts: str
    duration_s: float
    warmup_s: float
    regions: Mapping[str, tuple[str, ...]]
    classes: tuple[str, ...]
    """One line per class of requests."""
    services: tuple[ServiceFacts, ...]
    """By layer, then as in the file."""
    databases: tuple[DatabaseFacts, ...]
    queues: tuple[str, ...]
    providers: tuple[str, ...]
    demand: tuple[DemandFacts, ...]
    schedule: tuple[ScheduleFacts, ...]
    people: tuple[str, ...]
    escalations: tuple[str, ...]
    objectives: tuple[str, ...]
    blast_radius: tuple[BlastFacts, ...]
    coverage: tuple[str, ...]
    """How the loss of every place and component would be noticed, in one line each."""
    warnings: tuple[str, ...]
