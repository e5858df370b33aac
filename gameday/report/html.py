"""report.html: one file with everything in it, readable without a network and without JavaScript.

The rule that surprises: every text of a scenario or a timeline is escaped, whoever wrote it; only our own pictures and style go in as
they are, and what they show was escaped when they were drawn.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gameday.report import words
from gameday.report.facts import latency_step_s
from gameday.report.scoring_rows import not_assessed
from gameday.timeline import Event

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from gameday.report.model import ReportData

_TEMPLATES: Final = Path(__file__).parent / "templates"
_MOST_EVENTS: Final = 500
"""Rows of the table of events; what proves a result is always among them."""
_LEAST_TOLD: Final = ("database.lag", "cost.accrued", "alert.pending")
"""Kinds that are left out of the table first when there are too many events."""

GRADE_SHORT: Final[Mapping[str, str]] = {"UNKNOWN": "?", "NOT_APPLICABLE": "\N{EN DASH}", "UNGRADED": "\N{EN DASH}"}
"""What a chip says instead of a long name."""


@dataclass(frozen=True, slots=True)
class EventRow:
    """One row of the table of events."""

    index: int
    time: str
    kind: str
    subject: str
    details: str


def html(data: ReportData) -> str:
    """The report as one page."""
    from gameday.alerting.coverage import gaps_in_words
    from gameday.report.limits import limits
    from gameday.report.pictures import pictures
    from gameday.report.prediction import shown_rows

    hours = data.end_s > 5400
    rows = event_rows(data)
    return (
        environment(hours=hours)
        .get_template("report.html.j2")
        .render(
            data=data,
            css=style_sheet(),
            pictures=pictures(data),
            grade_words=words.GRADE_WORDS,
            grade_short=GRADE_SHORT,
            lost_words=words.LOST_WORDS,
            summary=summary(data),
            sections=_sections(data),
            impact_words=impact_words(data),
            warmup=words.duration(data.scenario.warmup),
            latency_step=latency_words(data),
            events=rows,
            linked={row.index for row in rows},
            classes=list(data.scenario.load.classes),
            limits=limits(data.scenario, data.timeline),
            gaps=gaps_in_words(data.scenario),
            predicted=None if data.against is None else shown_rows(data.against.kpis, data.currency),
            stages=None if data.against is None else shown_rows(data.against.stages),
            command=command(data),
            resolved_command=resolved_command(data),
        )
    )


def environment(*, hours: bool) -> Environment:
    """The template engine, escaping everything; `hours` decides how clock times are written."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    filters: dict[str, Any] = {
        "clock": lambda time_s: words.clock(float(time_s), hours=hours),
        "duration": lambda length_s: words.duration(float(length_s)),
        "count": lambda number: words.count(float(number)),
        "percent_whole": lambda ratio: words.percent(round(float(ratio), 2)),
        "percent": lambda ratio: words.percent(float(ratio)),
        "breakable": _breakable,
        "code_spans": _code_spans,
    }
    made.filters.update(filters)
    return made


def _breakable(name: str) -> Markup:
    """A long name that may be broken after its dots and underscores."""
    from markupsafe import Markup, escape

    return Markup("<wbr>").join(escape(part) for part in re.split(r"(?<=[._/-])", name))


def _code_spans(text: str) -> Markup:
    """Text in which what stands between backticks is code, as scenarios write it."""
    from markupsafe import Markup, escape

    parts = [escape(part) for part in text.split("`")]
    if len(parts) % 2 == 0:  # one backtick too many
        return escape(text)
    return Markup("").join(Markup("<code>{}</code>").format(part) if number % 2 else part for number, part in enumerate(parts))


def style_sheet() -> str:
    """The style that goes into every page."""
    return (_TEMPLATES / "report.css").read_text(encoding="utf-8")


def summary(data: ReportData) -> str:
    """One paragraph: how long users were hurt, what was lost, which objectives were missed."""
    parts = []
    if data.impact:
        hurt_s = sum(end - start for start, end in data.impact)
        parts.append(f"In the first replication users were hurt for {words.duration(hurt_s)} ({impact_words(data)})")
    elif data.accounts.offered:
        parts.append("In the first replication users were never hurt")
    else:
        parts.append("The first replication recorded neither requests nor impact, so nothing is known about its users")
    if data.accounts.offered:
        offered = sum(data.accounts.offered.values())
        share = f" ({words.percent(data.accounts.lost / offered)})" if offered else ""
        parts.append(f"{words.count(data.accounts.lost)} of {words.count(offered)} requests were lost{share}")
    if data.objectives:
        met = sum(one.met is True for one in data.objectives)
        days = "replication" if data.record.completed == 1 else "replications"
        parts.append(f"{met} of {len(data.objectives)} objectives were met over {data.record.completed} {days}")
    if left_out := not_assessed(data.dimensions):
        parts.append(left_out)
    return "; ".join(parts) + "."


def latency_words(data: ReportData) -> str:
    """What a point of the latency picture is."""
    step_s = latency_step_s(data.end_s)
    return "over the last ten seconds" if step_s <= 5 else f"over ten seconds, the highest of every {words.duration(step_s)}"


def impact_words(data: ReportData) -> str:
    """The times of impact, the first three of them."""
    if not data.impact:
        return "never"
    hours = data.end_s > 5400
    texts = []
    for start, end in data.impact[:3]:
        until = "the end of the run" if end >= data.end_s else words.clock(end, hours=hours)
        texts.append(f"{words.clock(start, hours=hours)} to {until}")
    more = len(data.impact) - 3
    return ", ".join(texts) + (f" and {more} more time{'s' if more > 1 else ''}" if more > 0 else "")


def command(data: ReportData) -> str:
    """The command line that made the run."""
    return shlex.join(["gameday", *data.record.arguments])


def resolved_command(data: ReportData) -> str:
    """A command line that plays the resolved scenario of the run folder again."""
    record = data.record
    parts = [
        "gameday",
        "run",
        f"{data.name}/scenario.yaml",
        "--seed",
        str(record.seed),
        "--replications",
        str(record.replications),
    ]
    return shlex.join(parts)


def event_rows(data: ReportData) -> list[EventRow]:
    """The events of the table: all, or as many as fit, evidence first, in order of time."""
    numbered = list(enumerate(data.timeline))
    if len(numbered) > _MOST_EVENTS:
        proof = {event.index for kpi in data.kpis for event in kpi.evidence if event.index is not None}
        ranked = sorted(numbered, key=lambda pair: (pair[0] not in proof, pair[1].kind in _LEAST_TOLD, pair[0]))
        numbered = sorted(ranked[:_MOST_EVENTS], key=lambda pair: pair[0])
    hours = data.end_s > 5400
    return [
        EventRow(index, words.clock(event.t, hours=hours), event.kind, event.subject, _details(event))
        for index, event in numbered
    ]


def _details(event: Event) -> str:
    parts = [f"{key} {_plain(value)}" for key, value in event.data.items() if value not in (None, "", [], {})]
    return words.shortened(", ".join(parts), 240)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return " ".join(f"{key}={_plain(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return " ".join(_plain(item) for item in value)
    return str(value)


def _sections(data: ReportData) -> list[tuple[str, str]]:
    found = [
        ("dimensions", "Grades"),
        ("prediction", "Prediction"),
        ("objectives", "Objectives"),
        ("timeline", "Timeline"),
        ("traffic", "Traffic"),
        ("lost", "Lost requests"),
        ("latency", "Latency"),
        ("aftermath", "Recovery"),
        ("stations", "Services"),
        ("requests", "Single requests"),
        ("system", "System"),
        ("distributions", "Other days"),
        ("worst", "Worst replications"),
        ("messages", "Messages"),
        ("published", "Real incident"),
        ("kpis", "All KPIs"),
        ("unknown", "Not judged"),
        ("limits", "Not modelled"),
        ("reproduce", "Reproduce"),
    ]
    left_out = {"published"} if data.scenario.published is None else set()
    left_out |= {"prediction"} if data.against is None else set()
    return [one for one in found if one[0] not in left_out]
