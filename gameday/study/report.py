"""The report of a study for an architect: question, design, answer, uncertainty, what was not modelled.

The rule that surprises: the answer names a best point only when no other can be told from it not to be as good; otherwise it names all that
are equal, and says what it would take to tell them apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gameday.atomic_files import write_atomically
from gameday.report.markdown import plain, table
from gameday.scores.kpis import KPIS, format_value
from gameday.study.answers import Answers, PointAnswer
from gameday.study.design import points_of
from gameday.study.estimates import Estimate
from gameday.study.pictures import Picture, pictures

if TYPE_CHECKING:
    from gameday.study.model import Response

MOST_ROWS: Final = 60
"""Points that the tables of the report and the terminal show; the Parquet table has all."""
_DESIGNS: Final = {
    "full": "every combination",
    "one_at_a_time": "the first value of each factor, and each other value alone",
    "latin": "a Latin hypercube",
    "sobol": "a Sobol sequence in Saltelli's scheme",
    "search": "a multi-objective search (NSGA-II)",
}


def value_words(response: Response, value: float | None) -> str:
    """A value of a response."""
    if value is None:
        return "not judged"
    if response.statistic == "pass_rate":
        return f"{value:.1%}"
    if response.of in KPIS:
        return format_value(response.of, value)
    return "never" if math.isinf(value) else f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def estimate_words(response: Response, found: Estimate) -> str:
    """An estimate with its interval."""
    text = value_words(response, found.value)
    if response.of == "price" or found.value is None:
        return text
    limit = {"yes": "", "no": ", over the limit", "unclear": ", limit unclear"}[found.allowed]
    if response.is_of_the_point and found.low == found.high:
        return f"{text}, exact{limit}"
    low = "?" if found.low is None else value_words(response, found.low)
    high = "?" if found.high is None else value_words(response, found.high)
    return f"{text} ({low} to {high}){limit}"


def answer_words(answers: Answers) -> str:
    """The answer in a few sentences; one answer for each value of what is given."""
    groups = answers.groups()
    texts = [_answer(answers, points, f"Where {given}: by" if given else "By") for given, points in groups.items()]
    if len(answers.responses) > 1 and len(answers.points) > 1:
        texts.append(f"Over all responses, nothing beats {len(answers.on_front)} of {len(answers.points)} points beyond doubt.")
    return " ".join(texts)


def _answer(answers: Answers, points: Sequence[PointAnswer], begin: str) -> str:
    response = answers.responses[0]
    kept = [one for one in points if one.allowed != "no"]
    what = f"{begin} {response.name} ({response.better} is better)"
    if not kept:
        return f"{what}, no point keeps all limits."
    best_rank = min(one.rank for one in kept)
    best = [one for one in kept if one.rank == best_rank]
    said = estimate_words(response, best[0].estimates[0])
    if len(points) > 1 and len(best) == len(points):
        text = f"{what}, none of the {len(points)} points can be told from another: {said} at the first."
    elif len(best) == 1:
        text = f"{what}, {best[0].label} is best: {said}."
    else:
        names = "; ".join(one.label for one in best[:6]) + (f"; and {len(best) - 6} more" if len(best) > 6 else "")
        text = f"{what}, {len(best)} points cannot be told apart: {names}. The first of them has {said}."
    if any(one.allowed == "unclear" for one in best):
        text += " Whether all of them keep every limit is not clear."
    return text


def uncertainty_words(answers: Answers) -> list[str]:
    """How sure the answer is, and where it is not tight."""
    counts = [len(one.rows) for one in answers.points]
    lines = [
        (
            f"{sum(counts)} replications, {min(counts)} to {max(counts)} at a point; replication n is the same day at every point (seed "
            f"{answers.identity.get('seed')})."
        ),
        (
            "Intervals are 95 %; ranks and the front compare points pair by pair on their common days, with the error of all comparisons "
            "of a point together held at 5 % (Bonferroni)."
        ),
    ]
    for number, response in enumerate(answers.responses):
        if response.precision is not None:
            wide = sum(not one.estimates[number].as_tight_as(response.precision) for one in answers.points)
            tight = f"as tight as asked (half-width {response.precision:.0%})"
            state = f"{tight} at every point" if not wide else f"not {tight} at {wide} of {len(answers.points)} points"
            lines.append(f"{response.name}: {state}.")
        unjudged = sum(one.estimates[number].value is None for one in answers.points)
        if unjudged:
            lines.append(f"{response.name}: not judged at {unjudged} points.")
    return lines


def rows_of(answers: Answers, points: Sequence[PointAnswer]) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of the table of points."""
    heads = ["rank", *answers.study.factors, *(one.name for one in answers.responses), "days", "beaten by"]
    by_number = {one.number: one for one in answers.points}
    rows = [
        [
            str(one.rank),
            *one.levels.values(),
            *(estimate_words(response, found) for response, found in zip(answers.responses, one.estimates, strict=True)),
            str(len(one.rows)),
            "" if one.beaten_by is None else by_number[one.beaten_by].label,
        ]
        for one in points
    ]
    return heads, rows


def study_text(answers: Answers) -> str:
    """The answer for a terminal."""
    import sys

    from gameday.report.terminal import Terminal
    from gameday.report.terminal import table as columns

    screen = Terminal.of(sys.stdout)
    heads, rows = rows_of(answers, answers.points[:MOST_ROWS])
    lines = [screen.bold(answers.study.question), ""]
    lines += columns(screen, [heads[:-1], *(row[:-1] for row in rows)])
    more = len(answers.points) - MOST_ROWS
    lines += [f"and {more} more points"] if more > 0 else []
    return "\n".join([*lines, "", *screen.wrapped(answer_words(answers))])


def study_json(answers: Answers) -> dict[str, Any]:
    """The answers as plain values: infinite values are the word never."""

    def number(value: float | None) -> float | str | None:
        return "never" if value is not None and math.isinf(value) else value

    return {
        "schema": 1,
        "study": answers.study.name,
        "identity": {name: value for name, value in answers.identity.items() if name != "file"},
        "answer": answer_words(answers),
        "responses": [one.name for one in answers.responses],
        "points": [
            {
                "point": one.number,
                "factors": dict(one.levels),
                "rank": one.rank,
                "beaten_by": one.beaten_by,
                "allowed": one.allowed,
                "replications": len(one.rows),
                "estimates": [
                    {"value": number(e.value), "low": number(e.low), "high": number(e.high), "n": e.n} for e in one.estimates
                ],
            }
            for one in answers.points
        ],
    }


@dataclass(frozen=True, slots=True)
class _Page:
    """What the template shows."""

    answers: Answers
    answer: str
    design: list[tuple[str, str]]
    heads: list[str]
    rows: list[list[str]]
    uncertainty: list[str]
    limits: list[str]
    pictures: list[Picture]


def write_study_report(answers: Answers, folder: Path) -> None:
    """Write `report.html` and `report.md` into the folder."""
    from gameday.report.html import environment, style_sheet

    found = pictures(answers)
    heads, rows = rows_of(answers, answers.points[:MOST_ROWS])
    page = _Page(
        answers, answer_words(answers), _design(answers), heads, rows, uncertainty_words(answers), _limits(answers), found
    )
    html = environment(hours=False).get_template("study.html.j2").render(page=page, study=answers.study, css=style_sheet())
    write_atomically(folder / "report.html", html.encode())
    write_atomically(folder / "report.md", _markdown(page).encode())


def _design(answers: Answers) -> list[tuple[str, str]]:
    study = answers.study
    played, planned = len(answers.points), len(points_of(study))
    cut = f" of {planned}; the others were not played, so effects are not balanced" if played < planned else ""
    facts = [("scenario", study.scenario), ("design", f"{_DESIGNS[study.design.kind]}: {played} points{cut}")]
    for name, factor in study.factors.items():
        if factor.patches is not None:
            said = "patches " + ", ".join(factor.patches)
        else:
            where = factor.set if isinstance(factor.set, str) else ", ".join(factor.set or [])
            values = f"{factor.range[0]} to {factor.range[1]}" if factor.range else ", ".join(map(str, factor.values or []))
            said = f"{where}: {values}"
        facts.append((f"factor {name}", said))
    for response in study.responses:
        target = f", a day passes at {response.target}" if response.statistic == "pass_rate" else ""
        limit = f", limit {response.limit}" if response.limit is not None else ""
        facts.append((f"response {response.name}", f"{response.better} is better{target}{limit}"))
    facts.append(("scenario SHA-256", str(answers.identity.get("scenario_sha256"))))
    facts.append(("version", f"gameday {answers.identity.get('version')}, seed {answers.identity.get('seed')}"))
    return facts


def _limits(answers: Answers) -> list[str]:
    """What was not modelled: what the study says, and what holds for every study."""
    return [
        *answers.study.not_modelled,
        "Only what is varied was varied: an answer holds for this system, this load and these faults.",
        "Prices are those that the study gives its factors; nothing else costs anything.",
        "Simulated days are no measurements of a real system; what the simulation leaves out is in the documentation ('what the model is').",
    ]


def _markdown(page: _Page) -> str:
    lines = [f"# {plain(page.answers.study.question)}", "", plain(page.answer), "", "## Design", ""]
    lines += table(("", ""), page.design)
    lines += ["", "## Points", "", *table(page.heads, page.rows)]
    lines += ["", "## Uncertainty", "", *(f"- {plain(one)}" for one in page.uncertainty)]
    for picture in page.pictures:
        if picture.table:
            lines += ["", f"## {plain(picture.title)}", "", *table(picture.table[0], picture.table[1:])]
    lines += ["", "## Not modelled", "", *(f"- {plain(one)}" for one in page.limits)]
    return "\n".join(lines) + "\n"
