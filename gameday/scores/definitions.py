"""The rows of the KPI table, in the order of the dimensions.

The rule that surprises: t0 is the first instant at which users are hurt, not the instant of the fault. KPIs about noticing, responding,
recovering and telling are taken per incident, and the value of a run is that of its worst incident; precision, writes, clocks and money are
taken over the run.
"""

from __future__ import annotations

from typing import Final

from gameday.scores.definitions_people import COMMUNICATION, COMPLIANCE, DETECTION, RESPONSE
from gameday.scores.definitions_system import COST, DATA, FAILOVER, SHEDDING
from gameday.scores.entry import Kpi

DEFINITIONS: Final[tuple[Kpi, ...]] = (
    *DETECTION,
    *RESPONSE,
    *FAILOVER,
    *SHEDDING,
    *DATA,
    *COMMUNICATION,
    *COMPLIANCE,
    *COST,
)
