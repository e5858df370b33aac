"""Communication: who was told when, how often, by whom, and whether it was true.

The rule that surprises: what counts is what was published. A message that waits for an approval has told nobody, and one that was written
from an old belief and published late is judged by the truth at the time of publication.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, get_args

from gameday.communication.approvals import publication_problems
from gameday.communication.cadence import EXECUTIVES
from gameday.communication.severity import SeverityLevel
from gameday.scores.answers import answers, loss_before_executives
from gameday.scores.claims import checked_claims
from gameday.scores.clarity import clarity
from gameday.scores.kpis import Target, format_value
from gameday.scores.model import Measure, measured, never, not_applicable
from gameday.scores.registry import Scorer, per_incident, per_run
from gameday.scores.status_page import component_status

if TYPE_CHECKING:
    from gameday.scenario.communication import Audience
    from gameday.scores.case import Case
    from gameday.scores.incidents import Incident
    from gameday.timeline import Event

_FIRST: Final = "communication.time_to_first_update"
_DECLARED: Final = "communication.first_update_after_declaration"
_CADENCE: Final = "communication.cadence"
_KEPT: Final = "communication.promises_kept"
_LAG: Final = "communication.status_lag"


def required_audiences(case: Case, incident: Incident) -> dict[str, Audience]:
    """Audiences that the severity, the exposure or a running clock requires to be told.

    An incident that nobody declared and that was over before an audience's first message was due owes that audience nothing.
    """
    plan = case.scenario.communication
    severities = case.wanted_severities(incident)
    clocks = _audiences_of_clocks(case, incident)
    return {
        name: audience
        for name, audience in plan.audiences.items()
        if name in clocks
        or (name == EXECUTIVES and _executives_by_exposure(case, incident))
        or (severities & set(audience.severities) and not _over_before_due(case, incident, audience))
    }


def _over_before_due(case: Case, incident: Incident, audience: Audience) -> bool:
    if case.declared(incident) is not None or incident.end_s is None:
        return False
    return incident.end_s - incident.t0_s < audience.first_within


def first_update(case: Case, incident: Incident) -> Iterator[Measure]:
    """First message to each required audience, from t0 and from the declaration."""
    required = required_audiences(case, incident)
    if not required:
        yield from (not_applicable(kpi, _why_nobody(case)) for kpi in (_FIRST, _DECLARED))
        return
    external = {name: audience for name, audience in required.items() if audience.external} or required
    yield _slowest(case, incident, external)
    declared = case.declared(incident)
    if declared is None:
        yield not_applicable(_DECLARED, "no incident was declared")
    else:
        yield _furthest_from_promise(case, incident, declared, required)


def cadence(case: Case, incident: Incident) -> Iterator[Measure]:
    """Time with a fresh enough message, and updates that came in time; the worst audience."""
    since = case.declared(incident)
    promised = {
        name: one
        for name, one in required_audiences(case, incident).items()
        if one.every is not None or any(pace.every is not None for pace in one.by_severity.values())
    }
    end_s = case.end_s if incident.end_s is None else incident.end_s
    if since is None or not promised:
        why = "no incident was declared" if since is None else "no required audience is promised updates"
        yield from (not_applicable(kpi, why) for kpi in (_CADENCE, _KEPT))
        return
    fresh: list[tuple[float, str]] = []
    kept: list[tuple[float, str]] = []
    for name, audience in promised.items():
        times = [event.t for event in _messages(case, incident, name)]
        spans = _promises(case, incident, audience, end_s)
        due_s = max(since.t, incident.t0_s) + audience.pace(spans[0][3])[0]
        if (share := _fresh_share(times, spans, due_s, end_s)) is not None:
            fresh.append((share, name))
        if (share := _kept_share(times, spans, end_s)) is not None:
            kept.append((share, name))
    for kpi, shares, what in ((_CADENCE, fresh, "of the time with a fresh message"), (_KEPT, kept, "of the updates in time")):
        if shares:
            share, name = min(shares)
            yield measured(kpi, share, since, note=f"{format_value(kpi, share)} {what}, for {name}")
        else:
            yield not_applicable(kpi, "users were well before an update was due")


def coverage(case: Case, incident: Incident) -> Iterator[Measure]:
    """Required audiences that were told at all."""
    kpi = "communication.coverage"
    required = required_audiences(case, incident)
    if not required:
        yield not_applicable(kpi, _why_nobody(case))
        return
    told = {name: messages[0] for name in required if (messages := _messages(case, incident, name))}
    missing = [name for name in required if name not in told]
    note = f"nobody told {', '.join(missing)}" if missing else f"all {len(required)} audiences were told"
    yield measured(kpi, len(told) / len(required), *told.values(), note=note)


def authority(case: Case) -> Iterator[Measure]:
    """External messages by an allowed role, after every approval."""
    kpi = "communication.authority"
    audiences = case.scenario.communication.audiences
    published = [event for event in case.events("message.published") if _is_external(case, event)]
    if not published:
        yield not_applicable(kpi, "nothing was said to the outside")
        return
    wrong: list[tuple[Event, str]] = []
    for event in published:
        audience = audiences.get(str(event.data.get("audience")))
        if audience is None:
            continue
        problems = publication_problems(audience, str(event.data.get("role", "")), approving_roles(case, event))
        wrong += [(event, problem) for problem in problems[:1]]
    note = f"{wrong[0][1]}" if wrong else f"{len(published)} external messages, each allowed and approved"
    yield measured(kpi, 1 - len(wrong) / len(published), *(event for event, _ in wrong[:5]), note=note)


def accuracy(case: Case) -> Iterator[Measure]:
    """Claims against the truth when they were published."""
    kpi = "communication.accuracy"
    claims = [(event, claim) for event in case.events("message.published") for claim in checked_claims(case, event)]
    if not claims:
        yield not_applicable(kpi, "nothing was claimed that can be checked")
        return
    false = [(event, claim) for event, claim in claims if not claim.true]
    note = f"{len(claims) - len(false)} of {len(claims)} claims were true"
    if false:
        note += f"; at {format_value(_FIRST, false[0][0].t)} {false[0][1].words}"
    yield measured(kpi, 1 - len(false) / len(claims), *(event for event, _ in false[:5]), note=note)


def resolved_messages(case: Case, incident: Incident) -> Iterator[Measure]:
    """`resolved` said while users were hurt, and how long it took to say it once they were well."""
    false_kpi = "communication.false_resolved"
    said = case.of(incident, "message.published").where(lambda event: event.data.get("phase") == "resolved")
    false = said.where(lambda event: any(one.hurts_at(event.t) for one in incident.impacts))
    if not case.of(incident, "message.published"):
        yield not_applicable(false_kpi, "nothing was published")
    elif false:
        who = false[0].data.get("audience")
        yield measured(false_kpi, len(false), *false[:5], note=f"{who} were told it was resolved while users were hurt")
    else:
        yield measured(false_kpi, 0, *said[:5], note="resolved was never said while users were hurt")
    yield _status_lag(case, incident)


def approving_roles(case: Case, published: Event) -> frozenset[str]:
    """Roles that had approved a message when it was published: from the message itself and from its approvals."""
    same = case.events("message.approved").where(
        lambda event: event.data.get("message") == published.data.get("message") and event.t <= published.t
    )
    roles: set[str] = set()
    for event in (published, *same):
        given = event.data.get("approvals")
        for one in given if isinstance(given, list | tuple) else ():
            roles.add(str(one.get("role")) if isinstance(one, dict) else str(one).partition("/")[0])
    return frozenset(roles)


def _slowest(case: Case, incident: Incident, audiences: dict[str, Audience]) -> Measure:
    first = {name: _messages(case, incident, name)[:1] for name in audiences}
    started = incident.impacts[0].started
    silent = [name for name, messages in first.items() if not messages]
    if silent:
        return never(_FIRST, case.end_s - incident.t0_s, started, note=f"nothing was published to {', '.join(silent)}")
    times = {name: max(0.0, messages[0].t - incident.t0_s) for name, messages in first.items()}
    slowest = max(times, key=times.__getitem__)
    note = "; ".join(f"{name} told {format_value(_FIRST, delay_s)} after impact" for name, delay_s in times.items())
    return measured(_FIRST, times[slowest], started, first[slowest][0], note=note)


def _furthest_from_promise(case: Case, incident: Incident, declared: Event, required: dict[str, Audience]) -> Measure:
    found: list[tuple[float, Measure]] = []
    for name, audience in required.items():
        first_within_s = audience.pace(_severity_of(declared))[0]
        target = Target("<=", first_within_s)
        messages = _messages(case, incident, name)
        if messages:
            delay_s = max(0.0, messages[0].t - declared.t)
            note = f"{name} told {format_value(_DECLARED, delay_s)} after the declaration"
            excess = delay_s / first_within_s if first_within_s else float(delay_s > 0) * 1e9
            found.append((excess, measured(_DECLARED, delay_s, declared, messages[0], note=note, target=target)))
        else:
            note = f"nothing was published to {name}"
            found.append((float("inf"), never(_DECLARED, case.end_s - declared.t, declared, note=note, target=target)))
    return max(found, key=lambda one: one[0])[1]


def _status_lag(case: Case, incident: Incident) -> Measure:
    told = {
        name
        for name, audience in case.scenario.communication.audiences.items()
        if audience.external and _messages(case, incident, name)
    }
    if incident.end_s is None or not told:
        return not_applicable(
            _LAG, "users were never well again" if incident.end_s is None else "nobody outside was told anything"
        )
    found: list[tuple[float, Measure]] = []
    for name in sorted(told):
        end_s = incident.end_s
        said = [event for event in _messages(case, incident, name) if event.data.get("phase") == "resolved" and event.t >= end_s]
        if said:
            lag_s = said[0].t - end_s
            note = f"{name} told {format_value(_LAG, lag_s)} after users were well"
            found.append((lag_s, measured(_LAG, lag_s, said[0], note=note)))
        else:
            note = f"{name} were never told that it was over"
            found.append((float("inf"), never(_LAG, case.end_s - end_s, note=note)))
    return max(found, key=lambda one: one[0])[1]


def _messages(case: Case, incident: Incident, audience: str) -> list[Event]:
    return [
        event
        for event in case.of(incident, "message.published")
        if event.data.get("audience") == audience and event.t >= min(incident.t0_s, incident.begin_s)
    ]


Promise = tuple[float, float, float | None, SeverityLevel | None]
"""From, until, interval promised then, severity then."""


def _promises(case: Case, incident: Incident, audience: Audience, end_s: float) -> list[Promise]:
    """What was promised to an audience from the declaration on, by the severity of the time."""
    events = [*case.of(incident, "incident.declared", "incident.severity")]
    until = [*(event.t for event in events[1:]), end_s]
    return [
        (event.t, later, audience.pace(_severity_of(event))[1], _severity_of(event))
        for event, later in zip(events, until, strict=True)
    ]


def _severity_of(event: Event) -> SeverityLevel | None:
    found = event.data.get("severity")
    return next((level for level in get_args(SeverityLevel) if level == found), None)


def _fresh_share(times: list[float], promises: list[Promise], start_s: float, end_s: float) -> float | None:
    """Share of the time in which the newest message is at most as old as was promised then; None where nothing was promised."""
    covered_s, promised_s = 0.0, 0.0
    for since, until, every_s, _ in promises:
        begins, ends = max(since, start_s), min(until, end_s)
        if every_s is None or begins >= ends:
            continue
        promised_s += ends - begins
        reached_s = begins
        for t in times:
            from_s, to_s = max(t, reached_s), min(t + every_s, ends)
            if to_s > from_s:
                covered_s += to_s - from_s
                reached_s = to_s
    return min(1.0, covered_s / promised_s) if promised_s else None


def _kept_share(times: list[float], promises: list[Promise], end_s: float) -> float | None:
    """Updates that followed the one before in time, of those that were due before users were well; None where none was due."""
    due = []
    for t, following in zip(times, [*times, None][1:], strict=True):
        every_s = next((every_s for since, _, every_s, _ in reversed(promises) if since <= t), promises[0][2])
        if every_s is not None and t + every_s < end_s:
            due.append(following is not None and following - t <= every_s)
    return sum(due) / len(due) if due else None


def _is_external(case: Case, event: Event) -> bool:
    audience = case.scenario.communication.audiences.get(str(event.data.get("audience")))
    return audience is not None and audience.external


def _audiences_of_clocks(case: Case, incident: Incident) -> frozenset[str]:
    """Audiences that a clock which began to run in an incident wants told."""
    plan = case.scenario.communication
    names = {str(event.data.get("clock")) for event in case.of(incident, "clock.started")}
    told = {name: clock.audience for name, clock in plan.clocks.items()}
    told |= {name: duty.audience for name, duty in plan.regulation.duties.items()}
    return frozenset(audience for name, audience in told.items() if name in names)


def _executives_by_exposure(case: Case, incident: Incident) -> bool:
    limits = case.scenario.communication.executives
    if not case.wanted_severities(incident):
        return False
    end_s = case.end_s if incident.end_s is None else incident.end_s
    if limits.duration_above is not None and end_s - incident.t0_s > limits.duration_above:
        return True
    lost = sum(
        one.at(end_s) - max(0.0, one.at(case.start_s)) for one in case.series.find("class.value_lost") if one.at(end_s) > 0
    )
    return limits.exposure_above is not None and lost > limits.exposure_above


def _why_nobody(case: Case) -> str:
    return "no audience had to be told" if case.scenario.communication.audiences else "the plan names no audience"


SCORERS: Final[tuple[Scorer, ...]] = (
    per_incident(first_update, _FIRST, _DECLARED),
    per_incident(cadence, _CADENCE, _KEPT),
    per_incident(coverage, "communication.coverage"),
    per_run(authority, "communication.authority"),
    per_run(accuracy, "communication.accuracy"),
    per_run(component_status, "communication.component_status"),
    per_incident(resolved_messages, "communication.false_resolved", _LAG),
    per_run(clarity, "communication.clarity"),
    per_run(answers, "communication.answers_agree"),
    per_incident(loss_before_executives, "communication.loss_before_executives"),
)
