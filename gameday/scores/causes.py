"""Why a run went as it did: one sentence of what happened, built from its timeline.

    impact at 10m00s; first page at 10m52s; level 2 was called at 16m00s; failover failed: lag 45 s is above 5 s; 12m30s of impact

The rule that surprises: it tells of the longest incident only, and of what was late, failed or never happened, in the order in which it
happened; what went as it should is left out where the sentence would grow too long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gameday.scores.case import Case
from gameday.scores.detection import first_notice
from gameday.scores.kpis import format_value
from gameday.scores.model import Recording, Scorecard

if TYPE_CHECKING:
    from gameday.scenario.model import Scenario
    from gameday.scores.incidents import Incident

_MOST_CLAUSES: Final = 10
_MOST_FAILURES: Final = 3
Clause = tuple[float, str]


def sentence(card: Scorecard, recording: Recording, scenario: Scenario) -> str:
    """One sentence about a run; it never fails, for what it cannot tell it leaves out."""
    case = Case(recording, scenario)
    hard = [f"hard failure: {result.note or result.kpi}" for result in card.hard_failures]
    if not len(case.timeline):
        return "the timeline is empty"
    if not case.incidents:
        return "; ".join(["users were not hurt", *hard])
    incident = max(case.incidents, key=lambda one: one.duration_s(case.end_s))
    clauses = [*_noticing(case, incident), *_acting(case, incident)]
    told = [text for _, text in sorted(clauses, key=lambda clause: clause[0])[:_MOST_CLAUSES]]
    length = _s(incident.duration_s(case.end_s))
    end = f"{length} of impact" if incident.end_s is not None else f"users still hurt at the end, after {length}"
    return "; ".join([f"impact at {_s(incident.t0_s)}", *told, *_unsaid(case, incident), end, *hard])


def _noticing(case: Case, incident: Incident) -> list[Clause]:
    found: list[Clause] = [
        (fault.start_s, f"{fault.kind} {fault.selector} at {_s(fault.start_s)}") for fault in incident.faults[:2]
    ]
    notice = first_notice(case, incident)
    if notice is not None:
        who = "first page" if notice.kind.startswith("page.") else f"{notice.data.get('by', 'automation')} acted"
        found.append((notice.t, f"{who} at {_s(notice.t)}"))
    ids = {str(page.data.get("page")) for page in case.pages_about(incident)}
    taken = [event.t for event in case.events("page.acknowledged") if str(event.data.get("page")) in ids]
    taken_s = min(taken, default=float("inf"))
    escalated = [event for event in case.events("page.escalated") if str(event.data.get("page")) in ids and event.t <= taken_s]
    found += [(event.t, f"level {event.data.get('to_level')} was called at {_s(event.t)}") for event in escalated]
    if taken:
        found.append((taken_s, f"acknowledged at {_s(taken_s)}"))
    declared = case.declared(incident)
    if declared is not None:
        found.append((declared.t, f"declared at {_s(declared.t)}"))
    return found


def _acting(case: Case, incident: Incident) -> list[Clause]:
    found: list[Clause] = []
    for event in case.of(incident, "failover.triggered", "failover.completed", "failover.failed", "failover.rolled_back"):
        match event.kind:
            case "failover.triggered":
                found.append((event.t, f"failover of {event.subject} at {_s(event.t)}"))
            case "failover.completed":
                found.append((event.t, f"moved by {_s(event.t)}"))
            case "failover.failed":
                found.append((event.t, f"failover failed at {event.data.get('step')}: {event.data.get('why')}"))
            case _:
                found.append((event.t, f"failover undone: {event.data.get('why')}"))
    failed, done = (case.of(incident, kind)[:_MOST_FAILURES] for kind in ("action.failed", "action.succeeded"))
    found += [
        (one.t, f"{one.data.get('action')} failed at {_s(one.t)}: {one.data.get('why', 'no reason given')}") for one in failed
    ]
    return found + [(one.t, f"{one.data.get('action')} done at {_s(one.t)}") for one in done]


def _unsaid(case: Case, incident: Incident) -> list[str]:
    """What never happened."""
    if first_notice(case, incident) is None:
        return ["nobody was told"]
    pages = case.pages_about(incident)
    ids = {str(page.data.get("page")) for page in pages}
    if pages and not any(str(event.data.get("page")) in ids for event in case.events("page.acknowledged")):
        return ["nobody acknowledged"]
    return []


def _s(t: float) -> str:
    return format_value("response.time_to_mitigate", t)
