"""Plays replications and keeps one number per KPI."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from gameday.scores.kpis import KPIS
from gameday.scores.samples import UNKNOWN, as_number

if TYPE_CHECKING:
    from gameday.replication import Plays
    from gameday.scenario.model import Scenario


def values_of(
    scenario: Scenario, seed: int, replications: Iterable[int], workers: Plays, step: Callable[[], None]
) -> list[dict[str, float]]:
    """Every KPI of every replication, in order of their numbers; UNKNOWN where a KPI was not judged."""
    from gameday.replication import Task, packed

    content, key = packed(scenario)
    found: dict[int, dict[str, float]] = {}
    for _, played in workers.run(Task(content, key, seed, (number,)) for number in replications):
        for one in played:
            values = dict.fromkeys(KPIS, UNKNOWN)
            found[one.replication] = values | {result.kpi: as_number(result) for result in one.scores.results}
            step()
    return [found[number] for number in sorted(found)]
