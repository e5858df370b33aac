"""The scorecard on the terminal: verdict, objectives, grades, hard failures, in as many columns as there are.

The rule that surprises: it is made from `scores.json` alone, so `gameday run --json` piped into a file says the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TextIO

from gameday.report import words
from gameday.report.scoring_rows import (
    STATISTIC_WORDS,
    DimensionRow,
    ObjectiveRow,
    dimension_rows,
    grade_text,
    hard_failures,
    not_assessed,
    objective_rows,
)
from gameday.report.terminal import Terminal, table


def scorecard(scores: Mapping[str, Any], stream: TextIO) -> str:
    """The scorecard for a stream; nothing is written."""
    return scorecard_on(scores, Terminal.of(stream))


def scorecard_on(scores: Mapping[str, Any], terminal: Terminal) -> str:
    """The scorecard for a terminal."""
    grade = grade_text(scores.get("grade"))
    verdict = str(scores.get("verdict") or "not scored")
    replications = scores.get("replications", 0)
    title = f"{scores.get('scenario', 'game day')}  seed {scores.get('seed', '?')}  {replications} replication{'s' if replications != 1 else ''}"
    lines = [terminal.bold(one) for one in terminal.wrapped(title)]
    headline = f"grade {grade}: {words.GRADE_WORDS.get(grade, grade)}; {words.VERDICT_WORDS.get(verdict, verdict)}"
    lines += [terminal.paint(one, grade) for one in terminal.wrapped(headline)]
    lines.append(terminal.text(terminal.line()))
    objectives = objective_rows(scores)
    if objectives:
        lines += [terminal.bold("objectives"), *table(terminal, [_objective(one) for one in objectives], paint=0), ""]
    dimensions = dimension_rows(scores)
    if dimensions:
        lines += [terminal.bold("dimensions"), *table(terminal, [_dimension(one) for one in dimensions], paint=0)]
    left_out = not_assessed(dimensions)
    if left_out:
        lines += ["", *terminal.wrapped(left_out)]
    failures = hard_failures(scores)
    if failures:
        lines += ["", terminal.bold(terminal.paint("hard failures", "U"))]
        lines += [line for text in failures for line in terminal.wrapped(text, "  ")]
    unknown = [kpi.kpi for one in dimensions for kpi in one.kpis if kpi.grade == "UNKNOWN"]
    if unknown:
        lines += ["", *terminal.wrapped(f"not judged: {', '.join(unknown)}")]
    return "\n".join(lines)


def _objective(one: ObjectiveRow) -> list[str]:
    """Value and target before the interval, which is what a narrow terminal cuts off first."""
    if one.met is None:
        said = one.why or "it could not be judged"
    elif one.statistic == STATISTIC_WORDS["pass_rate"]:
        said = f"{one.value} meet {one.target}"
    else:
        said = f"{one.statistic} {one.value}, target {one.target}"
    interval = f"  [{one.interval}]" if one.interval and one.met is not None else ""
    return [one.outcome, "gate" if one.gate else "", one.kpi, said + interval]


def _dimension(one: DimensionRow) -> list[str]:
    return [words.GRADE_SHORT.get(one.grade, one.grade), one.name, one.reason]
