"""Response: how soon somebody took the page, the lead and the decision, and how long it took until users were well.

The rule that surprises: no score is about a person. Times are those of the team; names appear only as the events that prove them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from gameday.scores.escalation_oracle import verdict
from gameday.scores.kpis import format_value
from gameday.scores.model import Measure, measured, never, not_applicable, unknown
from gameday.scores.registry import Scorer, per_incident, per_run

if TYPE_CHECKING:
    from gameday.scores.case import Case
    from gameday.scores.incidents import Incident
    from gameday.timeline import Event

COMMANDER: Final = frozenset({"incident_commander", "commander"})
"""Roles that lead an incident."""


def time_to_acknowledge(case: Case, incident: Incident) -> Iterator[Measure]:
    """First page to first acknowledgement."""
    kpi = "response.time_to_acknowledge"
    pages = case.pages_about(incident)
    if not pages:
        yield not_applicable(kpi, "nobody was paged")
        return
    ids = {str(page.data.get("page")) for page in pages}
    taken = case.events("page.acknowledged").where(lambda event: str(event.data.get("page")) in ids)
    if taken:
        delay_s = taken[0].t - pages[0].t
        yield measured(kpi, delay_s, pages[0], taken[0], note=f"acknowledged {_s(delay_s)} after the first page")
    else:
        yield never(kpi, case.end_s - pages[0].t, pages[0], note="nobody acknowledged a page")


def escalation_correctness(case: Case) -> Iterator[Measure]:
    """Pages that the policy asked for, among all that were sent or due."""
    kpi = "response.escalation_correctness"
    if not case.pages:
        yield not_applicable(kpi, "nobody was paged")
        return
    if not case.scenario.response.escalations:
        yield unknown(kpi, "the scenario has no escalation policy to compare with", case.pages[0])
        return
    found = verdict(case)
    if not found.total:
        yield not_applicable(kpi, "no page went through an escalation policy")
        return
    note = f"{len(found.right)} of {found.total} pages as the policy asks"
    if found.wrong:
        note += f"; {len(found.wrong)} that it does not ask for, first at {_s(found.wrong[0].t)}"
    if found.missing:
        first = min(found.missing, key=lambda due: due.t)
        note += f"; {len(found.missing)} missing, first level {first.level} at {_s(first.t)}"
    yield measured(kpi, len(found.right) / found.total, *found.wrong[:5], note=note)


def time_to_declare(case: Case, incident: Incident) -> Iterator[Measure]:
    """Impact to declaration, and declaration to a commander."""
    declare, command = "response.time_to_declare", "response.time_to_command"
    declared = case.declared(incident)
    if declared is None:
        if case.deserves_declaration(incident):
            yield never(declare, case.end_s - incident.t0_s, incident.impacts[0].started, note="no incident was declared")
        else:
            yield not_applicable(declare, "no critical class lost enough for an incident")
        yield not_applicable(command, "no incident was declared")
        return
    delay_s = max(0.0, declared.t - incident.t0_s)
    yield measured(declare, delay_s, incident.impacts[0].started, declared, note=f"declared {_s(delay_s)} after impact")
    named = case.of(incident, "incident.role").where(lambda event: event.data.get("role") in COMMANDER)
    if named:
        after_s = max(0.0, named[0].t - declared.t)
        yield measured(command, after_s, declared, named[0], note=f"commander named {_s(after_s)} after the declaration")
    else:
        yield never(command, case.end_s - declared.t, declared, note="no commander was named")


def decision_log(case: Case) -> Iterator[Measure]:
    """Decisions and actions that say who and why; an action may have its why in the decision it carries out."""
    kpi = "response.decision_log"
    decisions = case.events("decision.approved", "decision.rejected", "decision.made")
    entries = [*decisions, *case.events("action.started")]
    if not entries:
        yield not_applicable(kpi, "nothing was decided or done")
        return
    silent = [entry for entry in entries if not _says_who_and_why(entry, list(decisions))]
    note = f"{len(entries) - len(silent)} of {len(entries)} say who and why"
    yield measured(kpi, 1 - len(silent) / len(entries), *silent[:5], note=note)


def time_to_mitigate(case: Case, incident: Incident) -> Iterator[Measure]:
    """Impact until every indicator held again."""
    kpi = "response.time_to_mitigate"
    started = incident.impacts[0].started
    if incident.end_s is None:
        yield never(kpi, case.end_s - incident.t0_s, started, note="users were still hurt when the run ended")
        return
    ends = [impact.ended for impact in incident.impacts if impact.ended is not None and impact.end_s == incident.end_s]
    duration_s = incident.end_s - incident.t0_s
    yield measured(kpi, duration_s, started, *ends, note=f"users were hurt for {_s(duration_s)}")


def time_to_resolve(case: Case, incident: Incident) -> Iterator[Measure]:
    """Impact until the incident was closed by those who declared it."""
    kpi = "response.time_to_resolve"
    declared = case.declared(incident)
    if declared is None:
        yield not_applicable(kpi, "no incident was declared")
        return
    closed = case.of(incident, "incident.resolved")
    if incident.end_s is None or not closed:
        why = "nobody closed the incident" if incident.end_s is not None else "users were still hurt when the run ended"
        yield never(kpi, case.end_s - incident.t0_s, declared, note=why)
        return
    duration_s = max(incident.end_s, closed[-1].t) - incident.t0_s
    yield measured(kpi, duration_s, declared, closed[-1], note=f"closed {_s(duration_s)} after impact")


def _says_who_and_why(entry: Event, decisions: list[Event]) -> bool:
    if not entry.data.get("by"):
        return False
    if entry.data.get("why"):
        return True
    return entry.kind == "action.started" and any(
        decision.kind == "decision.made"
        and decision.t <= entry.t
        and decision.data.get("decision") == entry.data.get("action")
        and decision.data.get("why")
        for decision in decisions
    )


def _s(duration_s: float) -> str:
    return format_value("response.time_to_acknowledge", duration_s)


SCORERS: Final[tuple[Scorer, ...]] = (
    per_incident(time_to_acknowledge, "response.time_to_acknowledge"),
    per_run(escalation_correctness, "response.escalation_correctness"),
    per_incident(time_to_declare, "response.time_to_declare", "response.time_to_command"),
    per_run(decision_log, "response.decision_log"),
    per_incident(time_to_mitigate, "response.time_to_mitigate"),
    per_incident(time_to_resolve, "response.time_to_resolve"),
)
