"""What became of writes when primaries changed: lost, how old, and taken by two primaries at once.

The rule that surprises: a node that was primary at the start stays one until something says otherwise, so a promotion without a demotion
is a split brain. A primary that was fenced or is down is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from gameday.scores.grading import SEVERITY, grade_of
from gameday.scores.kpis import Target, format_value
from gameday.scores.model import Measure, measured, not_applicable, unknown
from gameday.scores.readings import time_where

if TYPE_CHECKING:
    from gameday.scores.case import Case
    from gameday.timeline import Event

_COUNT: Final = "failover.rpo_writes"
_AGE: Final = "failover.rpo_s"
_SPLIT_S: Final = "failover.split_brain_s"
_SPLIT_WRITES: Final = "failover.split_brain_writes"


def lost_writes(case: Case) -> Iterator[Measure]:
    """Acknowledged writes lost, and the age of the oldest, against each database's recovery point."""
    databases = case.scenario.system.databases
    summaries = case.events("writes.summary")
    promotions = case.events("failover.promoted").where(lambda event: event.data.get("lost_writes") is not None)
    if not databases and not summaries:
        yield not_applicable(_COUNT, "there is no database")
        yield not_applicable(_AGE, "there is no database")
        return
    strict = all(database.recovery_point == 0 for database in databases.values())
    target = Target("<=", 0.0) if strict else None
    if summaries:
        lost = sum(event.number("lost") for event in summaries)
        yield measured(_COUNT, lost, *summaries, note=f"{lost:.0f} acknowledged writes lost", target=target)
    elif promotions:
        lost = sum(event.number("lost_writes") for event in promotions)
        yield measured(_COUNT, lost, *promotions, note=f"{lost:.0f} acknowledged writes lost at promotions", target=target)
    else:
        yield unknown(_COUNT, "nobody counted the writes")
    yield max((_age(case, event) for event in summaries), key=_badness, default=unknown(_AGE, "nobody counted the writes"))


def split_brain(case: Case) -> Iterator[Measure]:
    """Time with two writable primaries, and the writes that conflict because of it."""
    replicated = [name for name, database in case.scenario.system.databases.items() if database.replicas]
    if not replicated:
        yield not_applicable(_SPLIT_S, "no database has a replica")
        yield not_applicable(_SPLIT_WRITES, "no database has a replica")
        return
    split = {name: _split_s(case, name) for name in replicated}
    split_s = sum(seconds for seconds in split.values() if seconds is not None)
    blind = [name for name, seconds in split.items() if seconds is None]
    if blind and split_s == 0:
        yield unknown(_SPLIT_S, f"nobody recorded the primaries of {', '.join(blind)}")
    else:
        events = case.events("database.role").where(lambda event: event.data.get("role") == "primary")
        note = f"two writable primaries for {format_value(_SPLIT_S, split_s)}" if split_s else "never two writable primaries"
        yield measured(_SPLIT_S, split_s, *(events[:5] if split_s else ()), note=note)
    summaries = case.events("writes.summary")
    if summaries:
        conflicting = sum(event.number("conflicting") for event in summaries)
        yield measured(_SPLIT_WRITES, conflicting, *summaries, note=f"{conflicting:.0f} conflicting writes")
    else:
        yield unknown(_SPLIT_WRITES, "nobody counted the writes")


def _split_s(case: Case, name: str) -> float | None:
    """Seconds with two or more writable primaries of one database; None when nothing tells.

    From the series of primaries; without one, from the roles its nodes took. A database whose writes were counted and that recorded
    neither never changed its roles.
    """
    for series in case.series.find("database.primaries", {"database": name}):
        return time_where(series, lambda value: value >= 2, case.start_s, case.end_s)
    changes = case.events("database.role").where(lambda event: event.subject == f"database/{name}")
    counted = case.events("writes.summary").where(lambda event: event.data.get("database") == name)
    if not changes and not counted:
        return None
    primaries = {case.scenario.system.databases[name].primary}
    split_s = 0.0
    for event, until_s in zip(changes, [*(event.t for event in changes), case.end_s][1:], strict=True):
        (primaries.add if event.data.get("role") == "primary" else primaries.discard)(str(event.data.get("node")))
        if len(primaries) >= 2:
            split_s += max(0.0, until_s - max(event.t, case.start_s))
    return split_s


def _age(case: Case, event: Event) -> Measure:
    name = str(event.data.get("database"))
    known = case.scenario.system.databases.get(name)
    target = Target("<=", known.recovery_point) if known else None
    if event.number("lost") == 0:
        return measured(_AGE, 0.0, event, note=f"{name} lost no acknowledged write", target=target)
    oldest = event.data.get("oldest_lost_s")
    if not isinstance(oldest, int | float):
        return unknown(_AGE, f"{name} lost writes, and nobody knows how old they were", event)
    return measured(_AGE, oldest, event, note=f"{name} lost writes of the last {format_value(_AGE, oldest)}", target=target)


def _badness(measure: Measure) -> tuple[int, float]:
    return SEVERITY[grade_of(measure, measure.policy_target)], measure.value or 0.0
