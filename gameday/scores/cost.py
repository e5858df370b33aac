"""Cost: what lost requests cost, and what capacity beyond the plan cost.

The rule that surprises: every lost request of a class with a price counts, also those lost before an incident began and after it ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from gameday.scores.kpis import format_value
from gameday.scores.model import Measure, measured, not_applicable, unknown
from gameday.scores.readings import REQUEST_BIN_S, chosen, total
from gameday.scores.registry import Scorer, per_run

if TYPE_CHECKING:
    from gameday.scores.case import Case
    from gameday.timeline import Series

_HOUR_S: Final = 3600.0
_REVENUE: Final = "cost.lost_revenue"
_SCALING: Final = "cost.emergency_scaling"


def lost_revenue(case: Case) -> Iterator[Measure]:
    """Lost requests times their price."""
    prices = {name: price for name, price in case.scenario.system.money.lost_request.items() if price > 0}
    if not prices:
        yield not_applicable(_REVENUE, "no class has a price")
        return
    if not case.series.find("requests.offered"):
        yield unknown(_REVENUE, "there is no series of requests")
        return
    lost = {name: lost_requests(case, name) for name in prices}
    money = sum(prices[name] * count for name, count in lost.items())
    costliest = max(prices, key=lambda name: (prices[name] * lost[name], name))
    written = format_value(_REVENUE, money, case.scenario.system.money.currency)
    note = f"{written} lost, most by {lost[costliest]:.0f} requests of {costliest}" if money else "no paid request was lost"
    started = case.events("impact.started")
    yield measured(_REVENUE, money, *started[:5], note=note)


def lost_requests(case: Case, request_class: str | None = None) -> float:
    """Lost requests of a class, or of all, in the judged time; a request is lost whatever the reason."""
    lost = chosen(case.series, "requests.lost", lambda labels: request_class in {None, labels.get("class")})
    return total(lost, case.start_s, case.end_s, REQUEST_BIN_S)


def emergency_scaling(case: Case) -> Iterator[Measure]:
    """Instances above the planned number times their cost."""
    priced = {name: service for name, service in case.scenario.system.services.items() if service.cost_per_hour > 0}
    if not priced:
        yield not_applicable(_SCALING, "no service has a cost")
        return
    series = [one for one in case.series.find("service.instances") if one.labels.get("service") in priced]
    if not series:
        yield unknown(_SCALING, "there is no series of instances")
        return
    money = 0.0
    for one in series:
        name, region = one.labels["service"], one.labels.get("region", "")
        planned = len(case.topology.instances_of(name, region))
        money += priced[name].cost_per_hour / _HOUR_S * _instance_seconds_above(one, planned, case.start_s, case.end_s)
    written = format_value(_SCALING, money, case.scenario.system.money.currency)
    asked = case.events("scaling.requested")
    yield measured(_SCALING, money, *asked[:5], note=f"{written} for instances above plan" if money else "no instance above plan")


def _instance_seconds_above(series: Series, planned: int, start_s: float, end_s: float) -> float:
    """Instances above the plan times seconds; a value holds until the next."""
    times: list[float] = series.t.tolist()
    values: list[float] = series.values.tolist()
    spans = zip(times, [*times[1:], end_s], values, strict=True)
    return sum(
        max(0.0, value - planned) * max(0.0, min(until, end_s) - max(since, start_s))
        for since, until, value in spans
        if value == value  # noqa: PLR0124 - NaN
    )


SCORERS: Final[tuple[Scorer, ...]] = (per_run(lost_revenue, _REVENUE), per_run(emergency_scaling, _SCALING))
