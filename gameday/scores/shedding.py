"""Load shedding: whether what matters was served while there was too much, and whether it ended when its cause did.

The rule that surprises: an outage is no overload. Overload is a bin of five seconds in which a queue or a limiter refused requests, or in
which a service was busy throughout while requests timed out; bins less than a minute apart form one window.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from gameday.recovery import WINDOW_S, aftermath
from gameday.scores.kpis import Target, format_value
from gameday.scores.model import Measure, measured, never, not_applicable, unknown
from gameday.scores.readings import SERVICE_BIN_S, added, chosen, good_share, total
from gameday.scores.registry import Scorer, per_run

if TYPE_CHECKING:
    from gameday.scores.case import Case
    from gameday.scores.incidents import Incident
    from gameday.scores.readings import Floats
    from gameday.series import Series

REFUSALS: Final = frozenset({"queue_full", "shed", "rate_limited", "dropped", "limited"})
"""Reasons of loss that are refusals for want of capacity."""
BUSY_RATIO: Final = 0.95
"""Utilisation from which timeouts are a sign of overload."""
TIMEOUT_RATIO: Final = 0.05
"""Share of timed-out requests that is one."""
WINDOW_GAP_S: Final = 60.0
"""Overloaded bins closer than this form one window."""
INVERSION_TOLERANCE: Final = 0.01
"""Share of a station's critical requests within which inversions are tolerated: beyond it they alone break the goodput target."""
LONGEST_RECOVERY_S: Final = 600.0
"""Cap of the default target for recovery. Assumption."""
_RECOVERY: Final = "shedding.recovery_s"
_METASTABLE: Final = "shedding.metastable"
_INVERSIONS: Final = "shedding.priority_inversions"

Window = tuple[float, float]


def overload_windows(case: Case) -> list[Window]:
    """From when to when there was too much, in the judged time."""
    import numpy as np

    refused, refusals = added([*_turned_away(case), *chosen(case.series, "requests.lost", _is_refusal)], SERVICE_BIN_S)
    bins = set(refused[refusals > 0].tolist())
    offered_at, offered = added(chosen(case.series, "requests.offered"), SERVICE_BIN_S)
    late_at, late = added(chosen(case.series, "requests.lost", lambda labels: labels.get("reason") == "timeout"), SERVICE_BIN_S)
    asked = dict(zip(offered_at.tolist(), offered.tolist(), strict=True))
    slow = {t for t, lost in zip(late_at.tolist(), late.tolist(), strict=True) if lost > TIMEOUT_RATIO * asked.get(t, 0.0)}
    for series in case.series.find("service.utilisation"):
        busy = np.ceil(np.round(series.t[series.values >= BUSY_RATIO] / SERVICE_BIN_S, 6)) * SERVICE_BIN_S
        bins |= slow & set(busy.tolist())
    windows: list[Window] = []
    for end_s in sorted(t for t in bins if t > case.start_s):
        if windows and end_s - SERVICE_BIN_S - windows[-1][1] <= WINDOW_GAP_S:
            windows[-1] = (windows[-1][0], end_s)
        else:
            windows.append((max(case.start_s, end_s - SERVICE_BIN_S), end_s))
    return windows


def critical_goodput(case: Case) -> Iterator[Measure]:
    """Good answers of critical classes in the overload windows; the worst window."""
    kpi = "shedding.critical_goodput"
    if (refusal := _no_overload(case, kpi)) is not None:
        yield refusal
        return
    shares = [
        (share, window)
        for window in overload_windows(case)
        if (share := good_share(case.series, *window, lambda labels: case.is_critical(labels.get("class", "")))) is not None
    ]
    if not shares:
        yield not_applicable(kpi, "no critical request came while there was too much")
        return
    share, (start_s, end_s) = min(shares)
    note = f"{format_value(kpi, share)} of critical requests answered well from {_s(start_s)} to {_s(end_s)}"
    yield measured(kpi, share, *case.events("shedding.started")[:3], note=note)


def priority_inversions(case: Case) -> Iterator[Measure]:
    """Critical requests refused in bins in which the same station let lower ones in."""
    stations = _stations_by_priority(case)
    if not stations:
        yield not_applicable(_INVERSIONS, "no service sheds by priority")
        return
    if not case.series.find("service.refused_by") and not case.series.find("service.dropped_by"):
        if (refusal := _no_overload(case, _INVERSIONS)) is not None:
            yield refusal
        else:
            yield unknown(_INVERSIONS, "there is no series of what was refused by priority")
        return
    kinds = ("service.refused_by", "service.dropped_by")
    places = {(one.labels.get("service", ""), one.labels.get("region", "")) for kind in kinds for one in case.series.find(kind)}
    counts = {place: _inverted(case, *place) for place in sorted(places) if place[0] in stations}
    inverted = sum(count for count, _ in counts.values())
    tolerated = all(count <= INVERSION_TOLERANCE * asked for count, asked in counts.values())
    worst = max(counts, key=lambda place: counts[place][0], default=None)
    note = "no critical request was refused while a lower one was let in"
    if inverted and worst is not None:
        note = f"{inverted:.0f} critical requests refused while lower ones were let in, most at {worst[0]}@{worst[1]}"
    yield measured(_INVERSIONS, inverted, *case.events("shedding.started")[:3], note=note, tolerated=tolerated)


def over_shedding(case: Case) -> Iterator[Measure]:
    """Requests refused while the service had room, of all it refused."""
    kpi = "shedding.over_shedding"
    refused = total(_turned_away(case), case.start_s, case.end_s, SERVICE_BIN_S)
    if not refused:
        if case.series.find("requests.offered") or case.series.find("service.utilisation"):
            yield not_applicable(kpi, "no service refused anything")
        else:
            yield unknown(kpi, "there is no series of requests or services")
        return
    below = case.series.find("service.shed_below_limit")
    if not below:
        yield unknown(kpi, "nobody recorded what was refused below the limit")
        return
    needless = total(below, case.start_s, case.end_s, SERVICE_BIN_S)
    share = min(1.0, needless / refused)
    yield measured(kpi, share, note=f"{needless:.0f} of {refused:.0f} refusals came while there was room")


def recovery(case: Case) -> Iterator[Measure]:
    """From the end of what caused the overload to the end of impact; the worst window that hurt somebody."""
    if (refusal := _no_overload(case, _RECOVERY)) is not None:
        yield refusal
        return
    windows = overload_windows(case)
    found = [
        _recovery_of(case, incident, window)
        for incident in case.incidents
        for window in windows
        if window[0] <= _end(case, incident) and window[1] >= incident.t0_s
    ]
    if not found:
        yield not_applicable(_RECOVERY, "nobody was hurt by the overload")
        return
    order = {"not_applicable": 0, "measured": 1, "unknown": 2, "never": 3}
    yield max(found, key=lambda measure: (order[measure.state], measure.value or 0.0))


def metastable(case: Case) -> Iterator[Measure]:
    """Whether an overload kept itself going once its cause was gone: the monitor of `gameday.recovery` on all requests."""
    if (refusal := _no_overload(case, _METASTABLE)) is not None:
        yield refusal
        return
    pairs = [
        (incident, window)
        for incident in case.incidents
        for window in overload_windows(case)
        if window[0] <= _end(case, incident) and window[1] >= incident.t0_s
    ]
    ends_s, offered = added(chosen(case.series, "requests.offered"), WINDOW_S)
    good_at, answered = added(chosen(case.series, "requests.good"), WINDOW_S)
    good = _at(ends_s, good_at, answered)
    judged = ends_s > case.start_s
    found: list[tuple[float, str, Incident]] = []
    for incident, window in pairs:
        cause = cause_of(case, incident, window)
        if cause is None or cause[1] >= case.end_s:
            continue
        seen = aftermath(ends_s[judged], offered[judged], good[judged], cause, case.end_s)
        if seen.state != "unknown":
            found.append((seen.stuck_s, seen.state, incident))
    if not found:
        yield not_applicable(_METASTABLE, "no overload whose cause ended within the run")
        return
    stuck_s, state, incident = max(found, key=lambda one: (one[1] == "metastable", one[0]))
    note = f"unwell for {_s(stuck_s)} in a row without its cause" if state == "metastable" else f"{state} once its cause was gone"
    yield measured(_METASTABLE, state == "metastable", incident.impacts[0].started, note=note)


def _moves(case: Case) -> list[tuple[float, float | None]]:
    """From each completed move of a region to its way back: while they last, fewer places carry the load."""
    found: list[tuple[float, float | None]] = []
    for moved in case.events("failover.completed").where(lambda event: event.subject.startswith("region/")):
        back = case.timeline.first("failback.completed", subject=moved.subject, after=moved.t)
        found.append((moved.t, None if back is None else back.t))
    return found


def _recovery_of(case: Case, incident: Incident, window: Window) -> Measure:
    started = incident.impacts[0].started
    cause = cause_of(case, incident, window)
    if cause is None:
        return not_applicable(_RECOVERY, "no fault, no spike of load and no move caused the overload", started)
    begin_s, cause_end_s = cause
    if cause_end_s >= case.end_s:
        return not_applicable(_RECOVERY, "its cause lasted to the end of the run", started)
    target = Target("<=", min(2.0 * (cause_end_s - begin_s), LONGEST_RECOVERY_S))
    if incident.end_s is None:
        why = "the overload outlived its cause until the run ended"
        return never(_RECOVERY, case.end_s - cause_end_s, started, note=why, target=target)
    taken_s = max(0.0, incident.end_s - cause_end_s)
    note = f"users were well {_s(taken_s)} after the cause of the overload was gone"
    return measured(_RECOVERY, taken_s, started, note=note, target=target)


def cause_of(case: Case, incident: Incident, window: Window) -> Window | None:
    """From when to when lasted what caused an overload: faults and spikes of load at its time, else the incident's, else moves."""
    causes = [(fault.start_s, fault.end_s) for fault in incident.faults if fault.active_in(*window)]
    causes += [(start_s, end_s) for start_s, end_s in _spikes(case) if start_s <= window[1] and end_s >= window[0] - WINDOW_GAP_S]
    causes = causes or [(fault.start_s, fault.end_s) for fault in incident.faults]
    causes = causes or [span for span in _moves(case) if span[0] <= window[1] and (span[1] is None or span[1] >= window[0])]
    if not causes:
        return None
    ends = [case.end_s if end_s is None else end_s for _, end_s in causes]
    return min(start_s for start_s, _ in causes), max(ends)


def _inverted(case: Case, service: str, region: str) -> tuple[float, float]:
    """Critical requests refused while lower ones were let in at one station, and all its critical requests, in the judged time."""
    import numpy as np

    def by(name: str, *priorities: str) -> dict[float, float]:
        found = chosen(
            case.series,
            name,
            lambda labels: (
                (labels.get("service"), labels.get("region")) == (service, region) and labels.get("priority") in priorities
            ),
        )
        times, rates = added(found, SERVICE_BIN_S)
        judged = times > case.start_s
        return dict(zip(times[judged].tolist(), (rates[judged] * SERVICE_BIN_S).tolist(), strict=True))

    refused, dropped = by("service.refused_by", "critical"), by("service.dropped_by", "critical")
    lower = by("service.admitted_by", "normal", "best_effort")
    away = {t: refused.get(t, 0.0) + dropped.get(t, 0.0) for t in refused | dropped}
    inverted = sum(min(count, lower.get(t, 0.0)) for t, count in away.items())
    let_in = by("service.admitted_by", "critical")  # the dropped are among them
    return float(np.round(inverted, 6)), sum(refused.values()) + sum(let_in.values())


def _stations_by_priority(case: Case) -> frozenset[str]:
    """Services that are to prefer critical requests: they shed by priority, or queue by it."""
    shedding = case.scenario.policies.shedding
    queueing = {name for name, service in case.scenario.system.services.items() if service.queue_order == "priority"}
    limiting = {
        name
        for name, service in case.scenario.system.services.items()
        if service.limiter is not None and service.limiter.best_effort < 1.0
    }
    return frozenset(queueing | limiting | (set(shedding.services) if shedding.enabled else set()))


def _spikes(case: Case) -> list[Window]:
    """Planned spikes of load, from start to end."""
    rates = [request_class.rate for request_class in case.scenario.load.classes.values()]
    parts = [part for rate in rates for part in (rate if isinstance(rate, list) else [rate])]
    return [(part.at, part.at + part.lasts) for part in parts if part is not None and part.shape == "spike"]


def _no_overload(case: Case, kpi: str) -> Measure | None:
    if not case.series.find("requests.offered"):
        return unknown(kpi, "there is no series of requests")
    return None if overload_windows(case) else not_applicable(kpi, "there was never too much")


def _at(times: Floats, known_at: Floats, values: Floats) -> Floats:
    """The values at these times; 0 where none is known."""
    import numpy as np

    known = dict(zip(known_at.tolist(), values.tolist(), strict=True))
    return np.asarray([known.get(t, 0.0) for t in times.tolist()])


def _turned_away(case: Case) -> list[Series]:
    """What services refused, and what the disciplines of their queues dropped later."""
    return [*case.series.find("service.refused"), *case.series.find("service.dropped")]


def _is_refusal(labels: Mapping[str, str]) -> bool:
    return labels.get("reason") in REFUSALS


def _end(case: Case, incident: Incident) -> float:
    return case.end_s if incident.end_s is None else incident.end_s


def _s(seconds: float) -> str:
    return format_value(_RECOVERY, seconds)


SCORERS: Final[tuple[Scorer, ...]] = (
    per_run(critical_goodput, "shedding.critical_goodput"),
    per_run(priority_inversions, _INVERSIONS),
    per_run(over_shedding, "shedding.over_shedding"),
    per_run(recovery, _RECOVERY),
    per_run(metastable, _METASTABLE),
)
