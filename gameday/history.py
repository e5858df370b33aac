"""Public incidents through the scorers of communication, beside what was measured of an industry.

The rule that surprises: real incidents are judged by the functions that judge simulated ones. Their published minutes become a timeline, and
what nobody published (a declaration, a text) is left out, so the KPIs that need it do not apply.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

import yaml

if TYPE_CHECKING:
    from gameday.scenario.model import Scenario
    from gameday.timeline import JSON, Timeline

MINUTE_S: Final = 60.0
DATA: Final = Path(__file__).with_name("public_incidents.yaml")

FIRST_POST_MIN: Final = ((0.10, 0.0), (0.25, 26.0), (0.50, 50.0), (0.75, 90.0), (0.90, 233.0))
"""Minutes from the start of impact to the first public post: quantiles of 79 incidents of Google Cloud, computed from the status posts in
IntelligentDDS/Post-mortems-Analysis (ISSRE 2022)."""
BETWEEN_POSTS_MIN: Final = ((0.10, 14.0), (0.25, 23.0), (0.50, 34.0), (0.75, 58.0), (0.90, 78.0))
"""Minutes between posts: quantiles of 304 gaps of the same incidents."""
DETECTION_MIN: Final = ((0.10, 1.0), (0.50, 8.0), (0.75, 20.0), (0.90, 43.0), (0.95, 89.0))
"""Minutes to detection: quantiles of 66 incidents of the same collection that state it."""


@dataclass(frozen=True, slots=True)
class Incident:
    """What was published of one incident, in minutes from the start of its impact."""

    id: str
    title: str
    source: str
    read_as: str
    minutes: Mapping[str, float]
    updates: tuple[float, ...]
    """Public posts; empty = their times were not published."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One incident, judged."""

    incident: Incident
    first_update_s: float | None
    """As `communication.time_to_first_update` has it; None = not published."""
    cadence: float | None
    """Share of the impact with a post younger than 30 minutes; None = not published."""
    median_gap_min: float | None
    detected_percentile: str
    first_percentile: str


def public_incidents() -> list[Incident]:
    """The incidents that come with gameday."""
    listed = yaml.safe_load(DATA.read_text(encoding="utf-8"))["incidents"]
    return [
        Incident(one["id"], one["title"], one["source"], one["read_as"], one["minutes"], tuple(one.get("updates", ())))
        for one in listed
    ]


def judge(incident: Incident) -> Judged:
    """Judge what was published by the scorers of communication."""
    from statistics import median

    from gameday.scores import score
    from gameday.scores.communication import cadence, first_update
    from gameday.scores.model import Recording
    from gameday.scores.registry import per_incident

    posts = incident.updates or tuple(incident.minutes[key] for key in ("first_public_update",) if key in incident.minutes)
    scorers = [
        per_incident(first_update, "communication.time_to_first_update", "communication.first_update_after_declaration"),
        per_incident(cadence, "communication.cadence", "communication.promises_kept"),
    ]
    card = score(Recording(timeline_of(incident, posts)), scenario_of(incident), scorers)
    found = {result.kpi: result.value for result in card.results}
    during = [post for post in posts if post <= incident.minutes.get("resolved", float("inf"))]
    gaps = [second - first for first, second in pairwise(during) if second > first]
    first_s = found["communication.time_to_first_update"] if posts else None
    return Judged(
        incident,
        first_s,
        found["communication.cadence"] if incident.updates else None,
        median(gaps) if gaps else None,
        percentile(DETECTION_MIN, incident.minutes.get("detected")),
        percentile(FIRST_POST_MIN, None if first_s is None else first_s / MINUTE_S),
    )


def timeline_of(incident: Incident, posts: Sequence[float]) -> Timeline:
    """The published minutes as a timeline: impact, declaration, posts."""
    from gameday.timeline import Timeline

    ends = incident.minutes.get("mitigated", incident.minutes.get("resolved"))
    events: list[tuple[float, str, str, dict[str, JSON]]] = [
        (0.0, "impact.started", "class/public", {"flow": "public", "objective": 0.95, "good_ratio": 0.0, "cause": []}),
        (incident.minutes.get("declared", 0.0), "incident.declared", "incident/1", {"severity": "sev1", "by": "published"}),
    ]
    for number, post in enumerate(posts, start=1):
        said: dict[str, JSON] = {
            "message": f"message/{number}",
            "audience": "public",
            "phase": "investigating",
            "channel": "status_page",
        }
        events.append(
            (post, "message.published", "audience/public", {**said, "text": "", "author": "published", "role": "communications"})
        )
    if ends is not None:
        ended: dict[str, JSON] = {"flow": "public", "objective": 0.95, "good_ratio": 1.0, "worst_good_ratio": 0.0, "lost": 0}
        events.append((ends, "impact.ended", "class/public", ended))
    timeline = Timeline()
    timeline.add(
        0.0, "run.started", "scenario/public", "human", {"scenario": "public", "seed": 0, "replication": 0, "duration_s": 0.0}
    )
    last = max(minute for minute, *_ in events) + 60.0
    for minute, kind, subject, data in sorted(events, key=lambda event: event[0]):
        timeline.add(1.0 + minute * MINUTE_S, kind, subject, "human", data)
    timeline.add(1.0 + last * MINUTE_S, "run.ended", "scenario/public", "human")
    return timeline


def scenario_of(incident: Incident) -> Scenario:
    """The least scenario with the public as its only audience: a post at least every 30 minutes."""
    from gameday.scenario.model import Scenario

    longest = max([*incident.minutes.values(), *incident.updates, 60.0]) * MINUTE_S + 7200.0
    audience = {"channel": "status_page", "external": True, "severities": ["sev1"], "first_within": 0.0, "every": 1800.0}
    return Scenario.model_validate(
        {
            "gameday": 1,
            "name": incident.id,
            "title": incident.title,
            "teaches": incident.source,
            "starts": datetime(2000, 1, 1, tzinfo=UTC),
            "duration": longest,
            "warmup": 0.5,
            "system": {
                "regions": {"a": {"zones": ["a1"]}},
                "services": {"public": {"instances": 1, "slots": 1, "service_time": "constant 1ms"}},
            },
            "load": {"classes": {"public": {"entry": "public", "rate": "1/s"}}},
            "response": {"people": {"p": {}}, "roles": {"communications": ["p"]}},
            "communication": {"audiences": {"public": audience}},
        }
    )


def percentile(quantiles: Sequence[tuple[float, float]], value: float | None) -> str:
    """Between which published quantiles a value lies; empty without a value."""
    if value is None:
        return ""
    below = [share for share, limit in quantiles if limit <= value]
    above = [share for share, limit in quantiles if limit >= value]
    if below and above and below[-1] >= above[0]:
        return f"p{100 * below[-1]:.0f}"
    if not below:
        return f"below p{100 * quantiles[0][0]:.0f}"
    return f"above p{100 * below[-1]:.0f}" if not above else f"p{100 * below[-1]:.0f} to p{100 * above[0]:.0f}"


def history_reference() -> str:
    """The page of the reference, in Markdown."""
    lines = [
        "# Public incidents",
        "",
        "What operators published of real incidents, through the scorers that judge simulated ones, and where it lies among what was",
        "measured of an industry: detection of 66 incidents, first public posts of 79, 304 gaps between posts (Google Cloud, AWS and Azure",
        "2011 to 2021, computed from the posts in the ISSRE 2022 collection `IntelligentDDS/Post-mortems-Analysis`). A blank was not",
        "published. Use it to see whether a simulated day is of this world. Published incidents are the severe tail.",
        "",
        "| quantile | detected | first public post | between posts |",
        "|---|---|---|---|",
        *(
            f"| p{share} | {_at(DETECTION_MIN, share)} | {_at(FIRST_POST_MIN, share)} | {_at(BETWEEN_POSTS_MIN, share)} |"
            for share in (10, 25, 50, 75, 90)
        ),
        "",
        "| incident | detected | of all | first public post | of all | median between posts | time with a post younger than 30 min | mitigated | source |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in map(judge, public_incidents()):
        minutes = one.incident.minutes
        first = None if one.first_update_s is None else one.first_update_s / MINUTE_S
        share = "" if one.cadence is None else f"{100 * one.cadence:.0f} %"
        cells = [
            one.incident.title,
            _minutes(minutes.get("detected")),
            one.detected_percentile,
            _minutes(first),
            one.first_percentile,
        ]
        cells += [
            _minutes(one.median_gap_min),
            share,
            _minutes(minutes.get("mitigated")),
            f"{one.incident.source} ({one.incident.read_as})",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _at(quantiles: Sequence[tuple[float, float]], percent: int) -> str:
    return next((_minutes(value) for share, value in quantiles if round(100 * share) == percent), "")


def _minutes(value: float | None) -> str:
    return "" if value is None else f"{value:.0f} min"
