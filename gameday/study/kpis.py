"""Which KPIs are asked about: those that are named, or those that gates are about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gameday.errors import BadInput, Problem, nearest
from gameday.scores.kpis import KPIS

if TYPE_CHECKING:
    from gameday.scenario.model import Scenario


def chosen_kpis(scenario: Scenario, named: Sequence[str], file: str, *, only_durations: bool = False) -> tuple[str, ...]:
    """The KPIs, each once. BadInput with the nearest name for one that is not known, and when there is nothing to choose."""
    problems = [Problem("--kpi", None, None, "", one, "is not a KPI", nearest(one, KPIS)) for one in named if one not in KPIS]
    if only_durations:
        problems += [
            Problem("--kpi", None, None, "", one, "is not a duration: only those have a relative change on the log scale")
            for one in named
            if one in KPIS and KPIS[one].unit != "s"
        ]
    if problems:
        raise BadInput(problems)
    found = dict.fromkeys(named or [one.kpi for one in scenario.objectives if one.gate])
    if only_durations:
        found = dict.fromkeys(kpi for kpi in found if KPIS[kpi].unit == "s")
    if not found:
        what = "no gate about a duration" if only_durations else "no gate"
        raise BadInput([Problem(file, None, None, "objectives", None, f"has {what}: name a KPI with --kpi")])
    return tuple(found)
