"""Two policies that were played until the answer was clear, on the terminal and as JSON."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from gameday.compare import settings_that_differ
from gameday.report.terminal import Terminal, table
from gameday.scores.kpis import KPIS, format_value

if TYPE_CHECKING:
    from gameday.scenario.model import Scenario
    from gameday.study.sequential import Answer, Duel


def duel_text(duel: Duel, before: Scenario, after: Scenario) -> str:
    """What changed, the answer for each KPI, and how it came about."""
    screen = Terminal.of(sys.stdout)
    lines = [screen.bold("settings that differ")]
    settings = settings_that_differ(before, after)
    lines += table(screen, [[one.path, f"{one.before or 'not there'} -> {one.after or 'not there'}"] for one in settings]) or [
        "none"
    ]
    lines.append("")
    answers = duel.answers()
    lines += table(
        screen, [[answer.pairs.verdict if answer.pairs else "not judged", answer.kpi, _effect(answer)] for answer in answers], 0
    )
    played = len(set(duel.before) & set(duel.after))
    unclear = [answer.kpi for answer in answers if not answer.clear]
    state = f"not clear after {played} pairs: {', '.join(unclear)}" if unclear else f"clear after {played} pairs"
    how = (
        f"Looks at {', '.join(map(str, duel.looks))} pairs; the intervals are simultaneous over all looks and KPIs "
        f"({duel.confidence:.2%} each), so stopping when it is clear keeps the error below 5 %."
    )
    return "\n".join([*lines, "", state, *screen.wrapped(how)])


def _effect(answer: Answer) -> str:
    found = answer.pairs
    if found is None:
        return "no pair was judged on both sides"
    moved = f"{found.improved} better and {found.worsened} worse of {found.pairs}"
    effect = found.effect
    if effect is None:
        return moved
    ends = [effect.value, *(one for one in (effect.low, effect.high) if one is not None)]
    if found.scale == "ratio":
        texts = [f"x {one:.3g}" for one in ends]
    else:
        texts = [f"{'-' if one < 0 else '+'}{format_value(KPIS[answer.kpi], abs(one))}" for one in ends]
    interval = f" ({texts[1]} to {texts[2]})" if len(texts) == 3 else ""
    return f"{texts[0]}{interval}, {moved}" + (f"; {answer.left_out} not judged" if answer.left_out else "")


def duel_json(duel: Duel, before: Scenario, after: Scenario) -> dict[str, Any]:
    """The same as plain values."""
    return {
        "schema": 1,
        "settings": [asdict(one) for one in settings_that_differ(before, after)],
        "pairs": len(set(duel.before) & set(duel.after)),
        "looks": list(duel.looks),
        "confidence_of_each": duel.confidence,
        "kpis": [
            {
                "kpi": one.kpi,
                "clear": one.clear,
                "left_out": one.left_out,
                **(asdict(one.pairs) if one.pairs else {"verdict": None}),
            }
            for one in duel.answers()
        ],
    }
