"""Two runs side by side on the terminal, in a pull request, and on a page.

The rule that surprises: KPIs that are the same are counted, not listed, on the terminal and in Markdown; the page lists all.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from gameday.report import words
from gameday.report.terminal import Terminal, table

if TYPE_CHECKING:
    from gameday.compare import Change, Comparison
    from gameday.comparison import Verdict

_ORDER: Final[tuple[Verdict, ...]] = ("worse", "better", "unclear", "same")
_VERDICT_WORDS: Final[Mapping[str, str]] = {
    "worse": "worse",
    "better": "better",
    "unclear": "unclear: the difference may be chance",
    "same": "the same",
}
_LONGEST_VALUE: Final = 60


def comparison_text(comparison: Comparison, terminal: Terminal | None = None) -> str:
    """The comparison for a terminal (standard output, unless another is given)."""
    screen = terminal or Terminal.of(sys.stdout)
    a, b = comparison.before, comparison.after
    lines = table(
        screen,
        [
            ["before", a.run, f"grade {a.grade}", _met(a.objectives_met, a.objectives)],
            ["after", b.run, f"grade {b.grade}", _met(b.objectives_met, b.objectives)],
        ],
    )
    lines += ["", *screen.wrapped(comparison.pairing), "", screen.bold("settings that differ")]
    if comparison.settings:
        lines += table(screen, [[one.path, f"{_setting(one.before)} -> {_setting(one.after)}"] for one in comparison.settings])
    else:
        lines.append("none")
    for verdict in _ORDER[:-1]:
        found = comparison.with_verdict(verdict)
        if found:
            lines += ["", screen.bold(screen.paint(_VERDICT_WORDS[verdict], verdict))]
            lines += table(screen, [[f"  {one.kpi}", _from_to(one), _decisive(one)] for one in found])
    if comparison.not_compared:
        lines += ["", screen.bold("not compared")]
        why: dict[str, list[str]] = {}
        for one in comparison.not_compared:
            why.setdefault(one.note, []).append(one.kpi)
        lines += [line for note, kpis in why.items() for line in screen.wrapped(f"{note}: {', '.join(kpis)}", "  ")]
    lines += ["", f"the same: {len(comparison.with_verdict('same'))} of {len(comparison.changes)} KPIs"]
    return "\n".join(lines)


def comparison_markdown(comparison: Comparison) -> str:
    """The comparison for a pull request."""
    from gameday.report.markdown import plain
    from gameday.report.markdown import table as markdown_table

    a, b = comparison.before, comparison.after
    lines = [
        f"# {plain(a.run)} and {plain(b.run)}",
        "",
        *markdown_table(("", "before", "after"), _side_rows(comparison)),
        "",
        plain(comparison.pairing),
        "",
        "## Settings that differ",
        "",
    ]
    if comparison.settings:
        rows = [(one.path, _setting(one.before), _setting(one.after)) for one in comparison.settings]
        lines += markdown_table(("setting", "before", "after"), rows)
    else:
        lines.append("None.")
    lines += ["", "## KPIs", ""]
    heads = ("verdict", "KPI", "p50 before", "p50 after", "effect")
    kpis = [
        (one.verdict, one.kpi, _quantile(one, one.before), _quantile(one, one.after), effect(one))
        for verdict in _ORDER[:-1]
        for one in comparison.with_verdict(verdict)
    ]
    lines += markdown_table(heads, kpis) if kpis else ["No KPI differs."]
    if comparison.not_compared:
        lines += ["", "Not compared:", "", *(f"- `{one.kpi}`: {plain(one.note)}" for one in comparison.not_compared)]
    lines += ["", f"The same: {len(comparison.with_verdict('same'))} of {len(comparison.changes)} KPIs."]
    return "\n".join(lines) + "\n"


def comparison_html(comparison: Comparison) -> str:
    """The comparison as one page."""
    from gameday.report.html import environment, style_sheet
    from gameday.report.plots import compare as plot
    from gameday.report.plots import style

    factors = [
        plot.Factor(one.kpi, one.verdict, one.effect, one.effect_low, one.effect_high)
        for one in comparison.changes
        if one.scale == "ratio" and one.effect is not None and one.verdict != "same"
    ]
    svg = ""
    if factors:
        said = ". ".join(f"{factor.kpi}: x {factor.value:.3g}, {factor.verdict}" for factor in factors)
        svg = style.svg(plot.figure(factors), "factors", "By which factor each duration changed", said)
    groups = [(_VERDICT_WORDS[verdict], str(verdict), _html_rows(comparison.with_verdict(verdict))) for verdict in _ORDER]
    groups.append(("there was nothing to compare", "not compared", _html_rows(comparison.not_compared)))
    page = environment(hours=False).get_template("comparison.html.j2")
    return page.render(
        comparison=comparison,
        css=style_sheet(),
        svg=svg,
        sides=_side_rows(comparison),
        groups=groups,
        settings=[(one.path, _setting(one.before), _setting(one.after)) for one in comparison.settings],
    )


def effect(change: Change) -> str:
    """How much changed: `x 0.62 (0.51 to 0.75), 27 better and 3 worse of 30`, or why that cannot be said."""
    if change.scale is None:
        return change.note
    parts = [part for part in (_size(change), _directions(change)) if part]
    return ", ".join(parts) + (f"; {change.note}" if change.note else "")


def _size(change: Change) -> str:
    """The factor or the difference with its interval; empty where none could be measured."""
    if change.effect is None:
        return ""
    if change.scale == "ratio":
        return f"x {change.effect:.3g}{_ends(change, lambda value: f'{value:.2g}')}"
    return f"{_signed(change, change.effect)}{_ends(change, lambda value: _signed(change, value))}"


def _decisive(change: Change) -> str:
    """What the verdict rests on: the size, or the directions where it never happened in some pair (those pairs have no size)."""
    return (not change.by_direction and _size(change)) or _directions(change)


def _directions(change: Change) -> str:
    return f"{change.improved} better and {change.worsened} worse of {change.pairs}" if change.pairs else change.note


def _from_to(change: Change) -> str:
    before, after = (_quantile(change, side).replace("at least ", ">= ") for side in (change.before, change.after))
    return before if before == after else f"{before} -> {after}"


def _ends(change: Change, write: Any) -> str:
    if change.effect_low is None or change.effect_high is None or change.effect_low == change.effect_high:
        return ""
    return f" ({write(change.effect_low)} to {write(change.effect_high)})"


def _signed(change: Change, difference: float) -> str:
    """A difference with its sign; shares differ in percentage points (pp)."""
    if change.unit == "ratio":
        return f"{difference * 100:+.2f} pp"
    return f"{difference:+.0f}" if abs(difference) >= 100 else f"{difference:+.2g}"


def _quantile(change: Change, side: Mapping[str, Any]) -> str:
    found = side.get("p50")
    if not found:
        return str(side.get("grade", "not scored")) if side else "not scored"
    return words.estimate(change.kpi, found, change.unit)


def _html_rows(changes: Sequence[Change]) -> list[tuple[str, ...]]:
    rows = []
    for one in changes:
        sides = [
            text
            for side in (one.before, one.after)
            for text in (_quantile(one, side), words.interval(one.kpi, side.get("p50"), one.unit))
        ]
        rows.append((one.kpi, *sides, effect(one), str(one.before.get("grade", "")), str(one.after.get("grade", ""))))
    return rows


def _side_rows(comparison: Comparison) -> list[tuple[str, str, str]]:
    a, b = comparison.before, comparison.after
    rows = [
        ("run", a.run, b.run),
        ("scenario", a.scenario, b.scenario),
        ("seed", str(a.seed), str(b.seed)),
        ("replications", str(a.replications), str(b.replications)),
        ("grade", a.grade, b.grade),
        ("objectives", _met(a.objectives_met, a.objectives), _met(b.objectives_met, b.objectives)),
    ]
    names = dict.fromkeys([*a.dimensions, *b.dimensions])
    return rows + [(name, a.dimensions.get(name, "not scored"), b.dimensions.get(name, "not scored")) for name in names]


def _met(met: int, of: int) -> str:
    return f"{met} of {of} met" if of else "none set"


def _setting(value: str | None) -> str:
    return "not there" if value is None else words.shortened(value, _LONGEST_VALUE)
