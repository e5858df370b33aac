"""How long a failover took for the clients: until they were served well again, and until the last of them had moved.

The rule that surprises: recovery is looked for in what the clients of the hurt region got, wherever it came from; a region that recovers
before its clients have moved has recovered them too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from gameday.scores.failover_decision import NoEvidenceError, decisions_in, origins_of
from gameday.scores.kpis import Target, format_value
from gameday.scores.model import Measure, measured, never, not_applicable, unknown
from gameday.scores.readings import REQUEST_BIN_S, added, chosen

if TYPE_CHECKING:
    from gameday.scores.case import Case
    from gameday.scores.incidents import Incident
    from gameday.scores.readings import Floats
    from gameday.timeline import Event, Series

RECOVERED_RATIO: Final = 0.99
"""Share of good answers from which moved clients count as served (`research/incident-response.md`, section 6.2)."""
MOVED_SHARE: Final = 0.99
"""Share of clients that must have moved (KPI definition)."""
_ONE_SIDED_95: Final = 1.645
"""Quantile of the normal distribution: 5 % of the runs that follow the model may miss its time by chance."""
_RTO: Final = "failover.rto"
_TAIL: Final = "failover.dns_tail_s"


def recovery_time(case: Case, incident: Incident) -> Iterator[Measure]:
    """From t0 until those who depend on the move are served well again; the longest, where users were hurt anew and moved again.

    t0 is the beginning of what the move was for: a short impact before it, from which users recovered by themselves, is no failover.

    Those are the clients at home in a region that was left, or should have been; where only a database moved, the clients of the classes
    that were hurt.
    """
    try:
        homes = [one.home for one in decisions_in(case, incident) if one.home is not None and one.concerns_recovery]
    except NoEvidenceError as error:
        yield unknown(_RTO, str(error), incident.impacts[0].started)
        return
    moved = sorted({e.subject for e in case.of(incident, "failover.triggered") if e.subject.startswith("database/")})
    if not homes and not moved:
        yield not_applicable(_RTO, "nothing was moved, and nothing had to be")
        return
    origins: frozenset[str] = frozenset().union(*(origins_of(case, home) for home in homes))
    hurt = {impact.request_class for impact in incident.impacts}

    def concerned(labels: Mapping[str, str]) -> bool:
        return labels.get("origin") in origins if homes else labels.get("class") in hurt

    offered = chosen(case.series, "requests.offered", concerned)
    good = chosen(case.series, "requests.good", concerned)
    whom = f"clients of {', '.join(homes)}" if homes else f"users of {', '.join(sorted(hurt))}"
    events = [incident.impacts[0].started, *case.of(incident, "failover.triggered", "failover.completed")[:2]]
    if not offered:
        yield unknown(_RTO, "there is no series of requests offered by the clients concerned", *events)
        return
    short_s, long_s = _windows(case, incident)
    since_s, taken_s = 0.0, -1.0
    for start_s in _starts(case, incident, homes, long_s):
        at_s = _first_good(offered, good, start_s, case.end_s, short_s, long_s)
        if at_s is None:
            yield never(_RTO, case.end_s - start_s, *events, note=f"{whom} were not served well again")
            return
        if at_s - start_s > taken_s:
            since_s, taken_s = start_s, at_s - start_s
    again = "" if since_s == incident.t0_s else f", which came back {format_value(_RTO, since_s - incident.t0_s)} after the first"
    note = f"{whom} served well {format_value(_RTO, taken_s)} after impact{again}"
    yield measured(_RTO, taken_s, *events, note=note)


def dns_tail(case: Case) -> Iterator[Measure]:
    """From the change of the record until 99 % of the clients that had to move have moved; the slowest population."""
    changes = case.events("dns.changed").where(lambda event: event.t >= case.start_s)
    if not changes:
        yield not_applicable(_TAIL, "no record was changed")
        return
    tails = [_tail_of(case, change, _next_change_s(case, change)) for change in changes]
    known = [tail for tail in tails if tail is not None]
    if not known:
        if case.series.find("dns.share"):
            yield not_applicable(_TAIL, "no client had to move", changes[0])
        else:
            yield unknown(_TAIL, "there is no series of where the clients go", changes[0])
        return
    yield max(known, key=lambda tail: math.inf if tail.value is None else tail.value)


def model_tail_s(ttl_s: float, ignore_ratio: float, ignore_for_s: float, resolvers: float) -> float:
    """Time after which 99 % of the clients have moved if caches follow the model, with room for chance.

    Caches expire within the time to live; a share `ignore_ratio` keeps its address for an exponential time of mean `ignore_for_s`
    beyond. The share left falls to 1 % after mean x ln(ratio / 1 %). With few resolvers that moment scatters: the variance of an
    order statistic of the exponential adds up to mean^2 x (1 / left - 1 / ignoring).
    """
    left_ratio = 1.0 - MOVED_SHARE
    if ignore_ratio <= left_ratio:
        return ttl_s
    chance = _ONE_SIDED_95 * math.sqrt(max(0.0, 1.0 / (left_ratio * resolvers) - 1.0 / (ignore_ratio * resolvers)))
    return ttl_s + ignore_for_s * (math.log(ignore_ratio / left_ratio) + chance)


def _tail_of(case: Case, change: Event, until_s: float) -> Measure | None:
    """The tail of one change, watched until the next one; None where no population had to move, or none was recorded."""
    target_region = str(change.data.get("to", "")).rpartition("/")[2]
    dns = case.scenario.system.traffic.dns
    found: list[Measure] = []
    for series in case.series.find("dns.share", {"region": target_region}):
        if _is_of_another(case, change, series):
            continue
        if series.at(change.t) >= MOVED_SHARE:
            continue  # these clients were there already
        target = Target("<=", model_tail_s(change.number("ttl_s"), dns.ignore_ttl, dns.ignore_for, dns.resolvers))
        after = series.between(change.t, until_s)
        moved = [t for t, share in zip(after.t.tolist(), after.values.tolist(), strict=True) if share >= MOVED_SHARE]
        if moved:
            tail_s = moved[0] - change.t
            note = f"99 % of the clients had moved {format_value(_TAIL, tail_s)} after the record"
            found.append(measured(_TAIL, tail_s, change, note=note, target=target))
        else:
            found.append(never(_TAIL, until_s - change.t, change, note="clients still went to the old place", target=target))
    return max(found, key=lambda tail: math.inf if tail.value is None else tail.value, default=None)


def _next_change_s(case: Case, change: Event) -> float:
    """When the same record was changed again; the end of the run where it was not."""
    later = case.events("dns.changed").where(
        lambda event: event.t > change.t and event.data.get("record") == change.data.get("record")
    )
    return later[0].t if later else case.end_s


def _is_of_another(case: Case, change: Event, series: Series) -> bool:
    """Whether a record is that of one population of clients, and the series of another."""
    record = change.data.get("record")
    return record in case.scenario.system.traffic.origins and record != series.labels.get("origin")


def _starts(case: Case, incident: Incident, homes: list[str], apart_s: float) -> list[float]:
    """When what was moved for began: of the times in an incident at which users were hurt, those that a move belongs to.

    Users who are well for longer than the recovery window and hurt again are hurt anew. A move belongs to the time that began last before it.
    Where a region should have been left and was not, all of them count.
    """
    starts: list[float] = []
    reach_s = -math.inf
    for impact in incident.impacts:
        if impact.start_s - reach_s > apart_s:
            starts.append(impact.start_s)
        reach_s = max(reach_s, case.end_s if impact.end_s is None else impact.end_s)
    left = {f"region/{home}" for home in homes}
    moves = [
        event
        for event in case.of(incident, "failover.triggered")
        if (event.subject in left if homes else event.subject.startswith("database/"))
    ]
    if left - {event.subject for event in moves}:
        return starts
    return sorted({max((start_s for start_s in starts if start_s <= move.t), default=starts[0]) for move in moves})


def _windows(case: Case, incident: Incident) -> tuple[float, float]:
    """The longest indicator window and recovery window of the classes that were hurt."""
    names = {impact.request_class for impact in incident.impacts}
    indicators = [known.indicator for name, known in case.scenario.load.classes.items() if name in names]
    short_s = max((indicator.window for indicator in indicators), default=15.0)
    return short_s, max((indicator.recovered_after for indicator in indicators), default=60.0)


def _first_good(
    offered: list[Series], good: list[Series], start_s: float, end_s: float, short_s: float, long_s: float
) -> float | None:
    """First instant from which the share is good over the indicator window and over the recovery window; None = not before the end."""
    asked, answered = _Cumulative(*added(offered, REQUEST_BIN_S)), _Cumulative(*added(good, REQUEST_BIN_S))
    for step in range(int((end_s - long_s - start_s) / REQUEST_BIN_S) + 1):
        since_s = start_s + step * REQUEST_BIN_S
        if since_s + long_s > end_s:
            return None
        shares = [
            (asked.between(since_s, since_s + span), answered.between(since_s, since_s + span)) for span in (short_s, long_s)
        ]
        if all(wanted > 0 and got >= RECOVERED_RATIO * wanted for wanted, got in shares):
            return since_s
    return None


class _Cumulative:
    """Counts between two instants, from rates in bins."""

    def __init__(self, times: Floats, rates: Floats) -> None:
        import numpy as np

        self._times = times
        self._sums = np.concatenate(([0.0], np.cumsum(rates))) * REQUEST_BIN_S

    def between(self, start_s: float, end_s: float) -> float:
        """How many in the bins that end after `start_s` and not after `end_s`."""
        first, last = self._times.searchsorted((start_s, end_s), side="right")
        return float(self._sums[last] - self._sums[first])
