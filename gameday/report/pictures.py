"""All pictures of a report as SVG, each with a title and a description in words for those who do not see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gameday.report import words
from gameday.report.facts import latency_panels, traffic_panels
from gameday.report.plots import aftermath, distributions, graph, guards, latency, published, stations, style, swimlanes, traffic
from gameday.report.plots.distributions import Spread
from gameday.report.plots.guards import guard_rows
from gameday.report.plots.lanes import Lane, lanes
from gameday.report.scoring_rows import KpiRow
from gameday.report.stations import MOST_FOLDED, StationRow, most_telling

if TYPE_CHECKING:
    from gameday.report.model import ReportData
    from gameday.report.plots.system_graph import SystemGraph


@dataclass(frozen=True, slots=True)
class Pictures:
    """SVG texts; an empty text where there is nothing to draw."""

    swimlanes: str
    traffic: str
    latency: str
    graph: str
    distributions: Mapping[str, str]
    """One for each dimension that has a KPI that varies."""
    constant: tuple[tuple[str, str], ...]
    """KPIs that came out the same in every replication, with that value."""
    published: str
    aftermath: str
    stations: str
    more_stations: str
    """The next worst rows."""
    guards: str
    """Caches and limiters."""


def pictures(data: ReportData) -> Pictures:
    """Draw everything; what has no data is left empty, and the template says so in words."""
    panels = traffic_panels(data.scenario, data.series, data.end_s)
    delays = latency_panels(data.scenario, data.series, data.end_s)
    by_dimension, constant = _spreads(data)
    found = lanes(data.timeline, data.end_s)
    shown = most_telling(data.stations)
    guarding = guard_rows(data.series)
    return Pictures(
        swimlanes=style.svg(
            swimlanes.figure(found, 0.0, data.end_s, data.impact), "lanes", "What happened when", _lanes_in_words(found)
        ),
        traffic=style.svg(
            traffic.figure(panels, 0.0, data.end_s, data.impact),
            "traffic",
            "Requests by class",
            "Requests per second over time: answered well, shed, failed, against what was offered. The table of lost requests has the sums.",
        )
        if panels
        else "",
        latency=style.svg(
            latency.figure(delays, 0.0, data.end_s, data.impact),
            "latency",
            "Latency by class",
            "p50, p95 and p99 over time on a logarithmic scale, with the deadline of each class.",
        )
        if delays
        else "",
        graph=_graph(data),
        distributions={
            name: style.svg(
                distributions.figure(spreads), f"spread-{name}", f"{name}: all replications", _spread_in_words(spreads)
            )
            for name, spreads in by_dimension.items()
        },
        constant=constant,
        published=style.svg(
            published.figure(data.milestones),
            "published",
            "Published and simulated milestones",
            " ".join(one.verdict() for one in data.milestones),
        )
        if data.milestones
        else "",
        aftermath=style.svg(
            aftermath.figure(data.aftermaths[:MOST_AFTERMATHS], 0.0, data.end_s),
            "aftermath",
            "Once the cause was gone",
            " ".join(f"{row.request_class}: {row.state}, {row.sentence}." for row in data.aftermaths),
        )
        if data.aftermaths
        else "",
        stations=_stations(shown, "stations", data),
        more_stations=_stations([row for row in data.stations if row not in shown][:MOST_FOLDED], "more-stations", data),
        guards=style.svg(
            guards.figure(guarding, 0.0, data.end_s, data.impact),
            "guards",
            "Caches and limiters",
            "Hits and misses of caches per second; limit, requests in flight and refusals of limiters. "
            + ", ".join(row.title for row in guarding),
        )
        if guarding
        else "",
    )


MOST_AFTERMATHS: Final = 8
"""Panels of the picture of what became of who was hurt."""


def _stations(rows: Sequence[StationRow], key: str, data: ReportData) -> str:
    if not rows:
        return ""
    said = " ".join(f"{row.title}: {row.why}." for row in rows)
    return style.svg(stations.figure(rows, 0.0, data.end_s, data.impact), key, "Services and what they call", said)


def _graph(data: ReportData) -> str:
    from gameday.report.damage import graph_with_impact

    made = graph_with_impact(data.scenario, data.timeline, data.series, data.end_s)
    return style.svg(graph.figure(made), "graph", "The system and what was hit", _graph_in_words(made))


def _spreads(data: ReportData) -> tuple[dict[str, list[Spread]], tuple[tuple[str, str], ...]]:
    by_dimension: dict[str, list[Spread]] = {}
    constant: list[tuple[str, str]] = []
    for kpi in data.kpis:
        if kpi.kpi not in data.samples.columns:
            continue
        spread = _spread(kpi, data)
        judged = spread.judged()
        if spread.varies():
            by_dimension.setdefault(kpi.dimension, []).append(spread)
        elif len(judged):
            constant.append((kpi.kpi, words.value(kpi.kpi, float(judged[0]), spread.unit, data.currency)))
    return by_dimension, tuple(constant)


def _spread(kpi: KpiRow, data: ReportData) -> Spread:
    def number(key: str) -> float | None:
        found = kpi.raw.get(key)
        value = found.get("value") if isinstance(found, Mapping) else None
        if isinstance(found, Mapping) and found.get("censored"):
            return float("inf")
        return float(value) if isinstance(value, int | float) else None

    return Spread(
        kpi.kpi,
        kpi.title,
        str(kpi.raw.get("unit") or ""),
        data.samples.columns[kpi.kpi],
        number("p50"),
        number("p90"),
        words.target_value(kpi.kpi, kpi.raw.get("target")),
        data.currency,
    )


def _lanes_in_words(found: Sequence[Lane]) -> str:
    if not found:
        return "The timeline holds nothing to draw."
    parts = [f"{lane.name.replace(chr(10), ' ')}: {sum(item.members for item in lane.items)}" for lane in found]
    return f"Swim lanes over time, with the number of entries in each: {', '.join(parts)}. The table of events has the details."


def _spread_in_words(spreads: Sequence[Spread]) -> str:
    return " ".join(
        f"{spread.kpi}: p50 {words.value(spread.kpi, spread.p50)}, p90 {words.value(spread.kpi, spread.p90)}."
        for spread in spreads
    )


def _graph_in_words(made: SystemGraph) -> str:
    parts = [f"{key}{'@' + region if region else ''} {impact.text}" for (key, region), impact in made.impact.items()]
    hit = ", ".join(sorted(made.hit_zones | {f"{key}{'@' + region if region else ''}" for key, region in made.hit}))
    said = f" A fault was aimed at {hit}." if hit else " No fault was aimed at any of it."
    regions = ", ".join(made.regions)
    return f"Regions {regions} with their services.{said} " + (
        f"Impact: {'; '.join(parts)}." if parts else "Nothing was down or refused."
    )
