"""Data: reads that were too old, counts of writes that do not add up, and writes that nobody has reconciled yet.

The rule that surprises: a write of which the client cannot know whether it was done (indeterminate) is neither acknowledged nor lost. It
is a class of its own, and calling it either would hide the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from gameday.scores.model import Measure, measured, not_applicable, unknown
from gameday.scores.registry import Scorer, per_run

if TYPE_CHECKING:
    from gameday.scores.case import Case
    from gameday.timeline import Event

_COUNTS: Final = ("attempted", "acknowledged", "lost", "indeterminate", "conflicting", "unreconciled")


def stale_reads(case: Case) -> Iterator[Measure]:
    """Reads beyond the declared limit that did not fail explicitly."""
    kpi = "data.stale_reads"
    from_copies = _read_from_copies(case)
    limited = sorted(name for name in from_copies if case.scenario.system.databases[name].stale_after_s is not None)
    if not limited:
        why = "what is read from copies may be of any age" if from_copies else "nothing is read from copies"
        yield not_applicable(kpi, why)
        return
    counted = {
        str(event.data.get("database")): event
        for event in case.events("writes.summary")
        if event.data.get("stale_reads") is not None
    }
    blind = [name for name in limited if name not in counted]
    events = [counted[name] for name in limited if name in counted]
    count = sum(event.number("stale_reads") for event in events)
    if blind and not count:
        yield unknown(kpi, f"nobody counted the stale reads of {', '.join(blind)}")
        return
    yield measured(kpi, count, *events, note=f"{count:.0f} reads were older than declared")


def invariants(case: Case) -> Iterator[Measure]:
    """Whether the counts of each database's writes add up."""
    kpi = "data.invariants"
    summaries = case.events("writes.summary")
    if not summaries:
        yield unknown(kpi, "nobody counted the writes") if case.scenario.system.databases else not_applicable(kpi, "no database")
        return
    broken = [(event, why) for event in summaries if (why := contradiction(case, event))]
    note = (
        broken[0][1] if broken else f"the counts of {len(summaries)} {'database' if len(summaries) == 1 else 'databases'} add up"
    )
    yield measured(kpi, float(not broken), *(event for event, _ in broken or [(one, "") for one in summaries]), note=note)


def unreconciled(case: Case) -> Iterator[Measure]:
    """Conflicting or degraded writes that are still open."""
    kpi = "data.unreconciled"
    summaries = case.events("writes.summary")
    if not summaries:
        yield unknown(kpi, "nobody counted the writes") if case.scenario.system.databases else not_applicable(kpi, "no database")
        return
    count = sum(event.number("unreconciled") for event in summaries)
    yield measured(kpi, count, *summaries, note=f"{count:.0f} writes still to be reconciled")


def contradiction(case: Case, event: Event) -> str:
    """What contradicts itself in the counts of one database, in words; empty where they add up."""
    name = event.data.get("database")
    count = {key: event.number(key) for key in _COUNTS}
    at_promotions = sum(
        one.number("lost_writes")
        for one in case.events("failover.promoted")
        if one.subject == f"database/{name}" and one.data.get("lost_writes") is not None
    )
    negative = [key for key, value in count.items() if value < 0]
    if negative:
        return f"{name}: {negative[0]} is negative"
    if count["acknowledged"] + count["indeterminate"] > count["attempted"]:
        return f"{name}: more writes were acknowledged or left open than attempted"
    if count["lost"] > count["acknowledged"]:
        return f"{name}: more writes were lost than acknowledged"
    if event.data.get("surviving") is not None and event.number("surviving") != count["acknowledged"] - count["lost"]:
        return f"{name}: acknowledged writes are neither surviving nor lost"
    if count["conflicting"] > count["attempted"]:
        return f"{name}: more writes conflict than were attempted"
    if at_promotions > count["lost"] + count["conflicting"] + count["unreconciled"]:
        return f"{name}: {at_promotions:.0f} writes went missing at promotions and are not counted at the end"
    return ""


def _read_from_copies(case: Case) -> frozenset[str]:
    """Databases with replicas that some service may read from the nearest copy."""
    databases = case.scenario.system.databases
    return frozenset(
        name
        for service in case.scenario.system.services.values()
        for call in service.calls
        for name in (call.to.removeprefix("database/"),)
        if call.operation == "read" and call.read_from == "nearest" and name in databases and databases[name].replicas
    )


SCORERS: Final[tuple[Scorer, ...]] = (
    per_run(stale_reads, "data.stale_reads"),
    per_run(invariants, "data.invariants"),
    per_run(unreconciled, "data.unreconciled"),
)
