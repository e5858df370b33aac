"""Data: reads that were too old, counts of writes that do not add up, and writes that nobody has reconciled yet.

The rule that surprises: a write of which the client cannot know whether it was done (indeterminate) is neither acknowledged nor lost. It
is a class of its own, and calling it either would hide the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from gameday.scores.model import Measure, measured, not_applicable, unknown
from gameday.scores.readings import SERVICE_BIN_S, total
from gameday.scores.registry import Scorer, per_run

if TYPE_CHECKING:
    from gameday.scores.case import Case
    from gameday.timeline import Event

STALE_READS: Final = "database.stale_reads"
"""Series of reads per second that were answered from a copy older than the declared limit, in bins of 5 s, labels {database}."""
_COUNTS: Final = ("attempted", "acknowledged", "lost", "indeterminate", "conflicting", "unreconciled")


def stale_reads(case: Case) -> Iterator[Measure]:
    """Reads beyond the declared limit that did not fail explicitly."""
    kpi = "data.stale_reads"
    from_copies = _read_from_copies(case)
    limited = sorted(name for name in from_copies if case.scenario.system.databases[name].staleness_limit is not None)
    if not limited:
        why = "no limit of staleness is declared for what is read from copies" if from_copies else "nothing is read from copies"
        yield not_applicable(kpi, why)
        return
    refusing = all(case.scenario.system.databases[name].refuse_stale_reads for name in limited)
    series = [one for one in case.series.find(STALE_READS) if one.labels.get("database") in limited]
    if not series:
        hint = "; they are set to refuse such reads" if refusing else ""
        yield unknown(kpi, f"nobody counted the stale reads of {', '.join(limited)}{hint}")
        return
    count = round(total(series, case.start_s, case.end_s, SERVICE_BIN_S))
    yield measured(kpi, count, note=f"{count} reads were older than declared")


def invariants(case: Case) -> Iterator[Measure]:
    """Whether the counts of each database's writes add up."""
    kpi = "data.invariants"
    summaries = case.events("writes.summary")
    if not summaries:
        yield unknown(kpi, "nobody counted the writes") if case.scenario.system.databases else not_applicable(kpi, "no database")
        return
    broken = [(event, why) for event in summaries if (why := contradiction(case, event))]
    note = broken[0][1] if broken else f"the counts of {len(summaries)} databases add up"
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
