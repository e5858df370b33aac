"""Failover: whether it was right, how long it took, what it lost, and whether the way back was allowed.

The rule that surprises: writes are counted for the whole run, not per incident, because a database can say what it lost only at the end;
and a way back without approval is a hard failure even when it goes well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from gameday.scores.failover_decision import NoEvidenceError, decisions, possible_moves
from gameday.scores.failover_times import dns_tail, recovery_time
from gameday.scores.failover_writes import lost_writes, split_brain
from gameday.scores.kpis import format_value
from gameday.scores.model import Measure, measured, not_applicable, unknown
from gameday.scores.registry import Scorer, per_incident, per_run

if TYPE_CHECKING:
    from gameday.scenario.policies import Failback
    from gameday.scores.case import Case
    from gameday.timeline import Event

_DECISION = "failover.decision"


def decision(case: Case) -> Iterator[Measure]:
    """Against the oracle; one wrong decision is enough."""
    if not possible_moves(case) and not case.events("failover.triggered"):
        yield not_applicable(_DECISION, "there is nowhere to move to")
        return
    try:
        found = list(decisions(case))
    except NoEvidenceError as error:
        yield unknown(_DECISION, str(error))
        return
    if not found:
        yield not_applicable(_DECISION, "nothing that a move could help against happened")
        return
    wrong = [one for one in found if one.outcome != "right"]
    shown = (wrong or found)[0]
    events = [one.event for one in (wrong or found) if one.event is not None]
    yield measured(_DECISION, float(not wrong), *events[:5], note=f"{shown.outcome} failover: {shown.note}")


def failback(case: Case) -> Iterator[Measure]:
    """Ways back that nobody allowed, or that came too early."""
    kpi = "failover.unapproved_failback"
    back = case.events("failback.completed")
    if not back:
        moved = case.events("failover.completed")
        if moved:
            yield measured(kpi, 0.0, moved[0], note="nothing moved back")
        else:
            yield not_applicable(kpi, "nothing moved")
        return
    policy = case.scenario.policies.failover.failback
    used: set[int] = set()
    reasons = [(event, _why_not_allowed(case, event, policy, used)) for event in back]
    wrong = [(event, why) for event, why in reasons if why]
    note = f"back without leave: {wrong[0][1]}" if wrong else f"{len(back)} ways back, each approved"
    yield measured(kpi, len(wrong), *(event for event, _ in wrong or reasons), note=note)


def flaps(case: Case) -> Iterator[Measure]:
    """Changes of place beyond the first, without those that were the approved way back."""
    moves = [
        event
        for event in case.events("failover.promoted", "failover.completed")
        if (event.kind == "failover.promoted") == event.subject.startswith("database/")
    ]
    if not moves:
        yield not_applicable("failover.flaps", "nothing moved")
        return
    back = Counter(event.subject for event in case.events("failback.completed"))
    back_at_all = sum(back.values())  # the way back of a region takes its databases with it
    beyond = 0
    for subject, times in Counter(event.subject for event in moves).items():
        beyond += max(0, times - 1 - (back_at_all if subject.startswith("database/") else back[subject]))
    note = f"{beyond} moves beyond the first" if beyond else "each moved once"
    yield measured("failover.flaps", beyond, *moves[:5], note=note)


def _why_not_allowed(case: Case, back: Event, policy: Failback, used: set[int]) -> str:
    """Why a way back was not allowed; empty = it was. An approval is good for one way back."""
    name = back.data.get("failover")
    asked = [event for event in case.events("failback.approved") if event.data.get("failover") == name]
    approvals = [event for event in asked if event.t <= back.t and event.subject == back.subject and id(event) not in used]
    holders = case.scenario.response.roles.get(policy.approval, []) if policy.approval else []
    allowed = [
        one for one in approvals if policy.approval and (one.data.get("role") == policy.approval or one.data.get("by") in holders)
    ]
    if not allowed:
        by = f"; {approvals[-1].data.get('by')} may not" if approvals else ""
        return f"{back.subject} had no approval{by}"
    used.add(id(allowed[-1]))
    lag, stable = back.data.get("lag_s"), back.data.get("stable_s")
    if isinstance(lag, int | float) and lag > policy.lag_below:
        return f"{back.subject} was {format_value('failover.rto', lag)} behind, {format_value('failover.rto', policy.lag_below)} is allowed"
    if isinstance(stable, int | float) and stable < policy.stable_for:
        return f"{back.subject} was well for only {format_value('failover.rto', stable)}"
    return ""


SCORERS: Final[tuple[Scorer, ...]] = (
    per_run(decision, _DECISION),
    per_incident(recovery_time, "failover.rto"),
    per_run(lost_writes, "failover.rpo_writes", "failover.rpo_s"),
    per_run(split_brain, "failover.split_brain_s", "failover.split_brain_writes"),
    per_run(failback, "failover.unapproved_failback"),
    per_run(dns_tail, "failover.dns_tail_s"),
    per_run(flaps, "failover.flaps"),
)
