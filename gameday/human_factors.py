"""Published human factors, each with its source: the only numbers by which conditions change what people do.

    probability(ACTION, PROCEDURES_NONE, STRESS_HIGH)       # 0.091: a step is forgotten that nobody has written down

The rule that surprises: SPAR-H's factors come from nuclear power plants and are weakly validated elsewhere. They are screening values:
good for the question which of two ways is better, not for how good either is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SPAR_H: Final = "SPAR-H, NUREG/CR-6883 (2005)"


@dataclass(frozen=True, slots=True)
class Factor:
    """One number, what it is, and where it was published."""

    value: float
    meaning: str
    source: str


DIAGNOSIS: Final = Factor(0.01, "nominal probability of an error of diagnosis", SPAR_H)
ACTION: Final = Factor(0.001, "nominal probability of an error of action", SPAR_H)
EXPERIENCE_HIGH: Final = Factor(0.5, "experience high: the person knows the component", SPAR_H)
PROCEDURES_POOR: Final = Factor(5.0, "procedures available but poor: no runbook for the component", SPAR_H)
PROCEDURES_NONE: Final = Factor(50.0, "procedures not available: from memory", SPAR_H)
INTERFACE_POOR: Final = Factor(10.0, "ergonomics poor: the dashboards are gone", SPAR_H)
FITNESS_DEGRADED: Final = Factor(5.0, "fitness for duty degraded: at work for longer than `tired_after`", SPAR_H)
STRESS_HIGH: Final = Factor(2.0, "stress high: an incident is going on", SPAR_H)
CONCURRENT_PAGES: Final = Factor(
    0.70, "chance of reacting, per further page that is open at the same time", "Ancker et al. 2017, BMC Med Inform 17:36 (-30 %)"
)
REPEATED_PAGES: Final = Factor(
    0.90,
    "chance of reacting, per five points of the share of pages that one has had before",
    "Ancker et al. 2017, BMC Med Inform 17:36 (-10 %)",
)

FACTORS: Final = (
    DIAGNOSIS,
    ACTION,
    EXPERIENCE_HIGH,
    PROCEDURES_POOR,
    PROCEDURES_NONE,
    INTERFACE_POOR,
    FITNESS_DEGRADED,
    STRESS_HIGH,
    CONCURRENT_PAGES,
    REPEATED_PAGES,
)
"""All of them; the page of the reference shows this table."""


def probability(nominal: Factor | float, *factors: Factor) -> float:
    """Probability of an error under performance shaping factors: p x F / (p x (F - 1) + 1), F their product.

    SPAR-H prescribes this form for three negative factors or more, where p x F could exceed 1; it is used throughout, because for few
    factors it differs little and it never exceeds 1.
    """
    base = nominal.value if isinstance(nominal, Factor) else nominal
    product = 1.0
    for factor in factors:
        product *= factor.value
    return base * product / (base * (product - 1.0) + 1.0)
