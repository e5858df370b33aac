"""Prediction against observation, as rows for the page and as text for the terminal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gameday.scores.kpis import KPIS, format_value

if TYPE_CHECKING:
    from gameday.prediction import Against, Row


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One row with its values in words."""

    name: str
    title: str
    p5: str
    p50: str
    p95: str
    observed: str
    outcome: str
    """`inside` or `outside`."""


def shown_rows(rows: tuple[Row, ...], currency: str | None = None) -> list[ShownRow]:
    """Rows as people read them; those outside first, else in order."""
    ordered = sorted(rows, key=lambda row: row.inside)
    return [
        ShownRow(
            row.name,
            row.title,
            _value(row, row.predicted.p5, currency),
            _value(row, row.predicted.p50, currency),
            _value(row, row.predicted.p95, currency),
            _value(row, row.observed, currency),
            "inside" if row.inside else "outside",
        )
        for row in ordered
    ]


def prediction_text(found: Against) -> str:
    """A table for the terminal, and the sentence that explains it."""
    rows = shown_rows(found.kpis)
    lines = [f"prediction of {found.replications} simulated days, registered {found.registered}, against this day:", ""]
    table = [("", "KPI", "p5", "p50", "p95", "observed")]
    table += [("out" if row.outcome == "outside" else "in", row.name, row.p5, row.p50, row.p95, row.observed) for row in rows]
    widths = [max(len(line[column]) for line in table) for column in range(6)]
    lines += [_columns(line, widths) for line in table]
    if found.stages:
        lines.append("")
        for stage in found.stages:
            spread = " / ".join(
                _value(stage, value, None) for value in (stage.predicted.p5, stage.predicted.p50, stage.predicted.p95)
            )
            lines.append(f"{stage.name:<8} {stage.title}: {_value(stage, stage.observed, None)} (predicted {spread})")
    inside = sum(row.inside for row in found.kpis)
    lines += ["", f"{inside} of {len(found.kpis)} KPIs inside the predicted 90 %. {found.explanation()}"]
    return "\n".join(lines)


def _columns(cells: tuple[str, ...], widths: list[int]) -> str:
    """One line: the first two columns to the left, numbers to the right."""
    padded = [text.ljust(width) for text, width in zip(cells[:2], widths[:2], strict=True)]
    padded += [text.rjust(width) for text, width in zip(cells[2:], widths[2:], strict=True)]
    return "  ".join(padded).rstrip()


def _value(row: Row, value: float, currency: str | None) -> str:
    if math.isinf(value):
        return "never"
    return format_value(KPIS[row.name], value, currency) if row.name in KPIS else f"{value:.1f} s"
