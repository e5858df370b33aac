"""What practices make of a day, as a table for a terminal and as JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TextIO

from gameday.report.terminal import Terminal, table
from gameday.scores.kpis import KPIS, format_value

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gameday.practices import Entry, Measured

SCHEMA: Final = 1
"""Version of the JSON."""
_COLOURS: Final = {"emerges": "met", "does not": "missed", "unclear": "unknown"}


def practices_list(entries: Sequence[Entry], stream: TextIO) -> str:
    """The registry, unplayed."""
    rows = [[one.practice.practice, one.practice.kpi, f"{one.practice.expect} with it", one.practice.title] for one in entries]
    return "\n".join(table(Terminal.of(stream), [["practice", "KPI", "expected", "title"], *rows]))


def practices_text(found: Sequence[Measured], stream: TextIO) -> str:
    """One line a practice: medians of both sides, the paired change with its interval, the verdict. Details where it is one only."""
    terminal = Terminal.of(stream)
    rows = [["practice", "KPI", "without", "with", "change, 95 % interval", "days", "verdict"]]
    rows += [_row(one) for one in found]
    lines = table(terminal, rows)
    if terminal.colours:
        lines = [lines[0], *(_painted(terminal, line, one) for line, one in zip(lines[1:], found, strict=True))]
    lines.append("")
    for one in found:
        practice = one.entry.practice
        lines += terminal.wrapped(f"{practice.practice} {practice.title}")
        if len(found) == 1:
            lines += terminal.wrapped(practice.why.strip(), "    ")
            lines += terminal.wrapped(f"base {practice.base}, seed {practice.seed}; {_counts(one)}", "    ")
    return "\n".join(lines)


def practices_json(found: Sequence[Measured]) -> dict[str, Any]:
    """The same as plain values; what never happened is the text `never`."""
    return {"schema": SCHEMA, "practices": [_json(one) for one in found]}


def _painted(terminal: Terminal, line: str, one: Measured) -> str:
    return line.removesuffix(one.verdict) + terminal.paint(one.verdict, _COLOURS[one.verdict])


def _row(one: Measured) -> list[str]:
    practice = one.entry.practice
    sides = [_middle(practice.kpi, values) for values in (one.without, one.with_it)]
    return [practice.practice, practice.kpi, *sides, _change(one), str(len(one.without)), one.verdict]


def _middle(kpi: str, values: NDArray[np.float64]) -> str:
    import numpy as np

    return format_value(kpi, float(np.median(values))) if len(values) else "not judged"


def _change(one: Measured) -> str:
    comparison = one.comparison
    if comparison is None:
        return "not judged"
    if comparison.effect is None:
        return f"{comparison.improved} of {comparison.pairs} days"
    effect, write = comparison.effect, _written(one)
    if effect.low is None or effect.high is None:
        return write(effect.value)
    return f"{write(effect.value)} ({write(effect.low)} to {write(effect.high)})"


def _written(one: Measured) -> Callable[[float], str]:
    assert one.comparison is not None, "there is a change"
    kpi = one.entry.practice.kpi
    if one.comparison.scale == "ratio":
        return lambda ratio: f"x {ratio:.2f}"

    def difference(value: float) -> str:
        if KPIS[kpi].unit == "bool":
            return f"{100 * value:+.0f} points"
        return ("+" if value >= 0 else "-") + format_value(kpi, abs(value))

    return difference


def _counts(one: Measured) -> str:
    comparison = one.comparison
    if comparison is None:
        return f"none of {one.left_out} pairs of days was judged on both sides"
    text = f"{comparison.improved} of {comparison.pairs} pairs of days go the expected way, {comparison.worsened} the other"
    if comparison.sign_only:
        text += f"; in {comparison.sign_only} it never happened on one side, so the sign test decides (p {comparison.sign_test_p:.2g})"
    if comparison.both_censored:
        text += f"; in {comparison.both_censored} it never happened on either side"
    return text + (f"; {one.left_out} pairs were not judged or did not apply" if one.left_out else "")


def _json(one: Measured) -> dict[str, Any]:
    practice, comparison = one.entry.practice, one.comparison
    effect = comparison.effect if comparison else None
    return {
        "practice": practice.practice,
        "name": one.entry.name,
        "title": practice.title,
        "kpi": practice.kpi,
        "expect": practice.expect,
        "verdict": one.verdict,
        "scale": comparison.scale if comparison else None,
        "effect": effect.value if effect else None,
        "effect_low": effect.low if effect else None,
        "effect_high": effect.high if effect else None,
        "pairs": len(one.without),
        "left_out": one.left_out,
        "improved": comparison.improved if comparison else 0,
        "worsened": comparison.worsened if comparison else 0,
        "sign_test_p": comparison.sign_test_p if comparison else None,
        "seed": practice.seed,
        "without": [_plain(value) for value in one.without.tolist()],
        "with": [_plain(value) for value in one.with_it.tolist()],
    }


def _plain(value: float) -> float | str:
    return "never" if math.isinf(value) else value
