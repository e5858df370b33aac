"""The severity of an incident, from what its users lose.

The rule that surprises: duration only ever raises it. A small loss that does not end becomes a large incident; severity is proposed
upwards (`at_least`), because "when unsure, take the higher one" (PagerDuty's incident response documentation).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SeverityLevel = Literal["sev1", "sev2", "sev3"]

_ORDER: tuple[SeverityLevel, ...] = ("sev3", "sev2", "sev1")


@dataclass(frozen=True, slots=True)
class SeverityPolicy:
    """Where the severities begin. The numbers are assumptions: published definitions (Atlassian: all customers, a subset; PagerDuty:
    critical, major, minor) name no shares.
    """

    sev1_lost_ratio: float = 0.5
    """Share of lost critical requests that is a sev1 at once."""
    sev1_long_ratio: float = 0.1
    """Share that is a sev1 after `long_s`."""
    sev2_lost_ratio: float = 0.05
    """Share that is a sev2 at once (`response.declare_above` has the same default)."""
    sev3_lost_ratio: float = 0.01
    """Share that is a sev3 at once, and a sev2 after `long_s`."""
    long_s: float = 1800.0
    """Duration from which the lower shares count."""


def severity_of(lost_ratio: float, duration_s: float, policy: SeverityPolicy | None = None) -> SeverityLevel | None:
    """Severity of an impact: the share of critical requests lost now and how long it has lasted; None = not an incident."""
    limits = policy or SeverityPolicy()
    long = duration_s >= limits.long_s
    if lost_ratio >= limits.sev1_lost_ratio or (long and lost_ratio >= limits.sev1_long_ratio):
        return "sev1"
    if lost_ratio >= limits.sev2_lost_ratio or (long and lost_ratio >= limits.sev3_lost_ratio):
        return "sev2"
    return "sev3" if lost_ratio >= limits.sev3_lost_ratio else None


def at_least(current: SeverityLevel | None, proposed: SeverityLevel | None) -> SeverityLevel | None:
    """The more severe of the two; None is less than any."""
    known = [severity for severity in (current, proposed) if severity is not None]
    return max(known, key=_ORDER.index, default=None)
