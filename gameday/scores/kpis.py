"""The table of everything that is scored: one entry per KPI, with its unit, its default target, and where that comes from.

The rule that surprises: a target without an operator means "at least as good as", so `5m` is `<= 5m` for a delay and `99%` is
`>= 99%` for a share. Nothing heavy is imported here; the reference page and the scenario checks read this table alone.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from gameday import units
from gameday.errors import nearest
from gameday.scores.definitions import DEFINITIONS
from gameday.scores.entry import Better, Kpi, Unit

__all__ = [
    "DIMENSIONS",
    "KPIS",
    "Better",
    "Kpi",
    "Target",
    "TargetError",
    "Unit",
    "default_target",
    "format_target",
    "format_value",
    "kpi_named",
    "kpi_reference",
    "parse_target",
]

Operator = Literal["<=", "<", ">=", ">", "=="]

DIMENSIONS: Final[tuple[str, ...]] = (
    "detection",
    "response",
    "failover",
    "shedding",
    "data",
    "communication",
    "compliance",
    "cost",
)
"""The dimensions, in the order in which an incident meets them and reports show them."""

KPIS: Final[Mapping[str, Kpi]] = {kpi.name: kpi for kpi in DEFINITIONS}
"""Every KPI by its full name, `dimension.kpi`."""

_COMPARE: Final[Mapping[Operator, Callable[[float, float], bool]]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "==": operator.eq,
}
_OPERATORS: Final[Mapping[str, Operator]] = {"<=": "<=", "<": "<", ">=": ">=", ">": ">", "==": "==", "=": "=="}
_TARGET = re.compile(r"\s*(<=|>=|==|=|<|>)?\s*(.*?)\s*", re.DOTALL)
_REFERENCE_INTRODUCTION: Final = (
    "A target in bold is a hard one: missing it caps the grade of the whole run at U. A dimension is graded by the worst of its "
    "critical KPIs. Times are counted from t0, the first instant at which users were hurt."
)
_YES_NO: Final[Mapping[str, float]] = {"yes": 1.0, "true": 1.0, "1": 1.0, "no": 0.0, "false": 0.0, "0": 0.0}


class TargetError(units.UnitError):
    """A KPI or a target that cannot be read; the text says what is allowed, `suggestion` how it was probably meant."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a KPI must reach: an operator and a value in the KPI's base unit (seconds, 0 to 1, units of money, a number)."""

    op: Operator
    value: float

    def met(self, value: float) -> bool:
        """Whether a value reaches the target. Differences below one part in a billion do not decide."""
        if math.isclose(value, self.value, rel_tol=1e-9, abs_tol=1e-9):
            return self.op in {"<=", ">=", "=="}
        return _COMPARE[self.op](value, self.value)


def kpi_named(name: str) -> Kpi:
    """The KPI of that name. Raises TargetError with the nearest name."""
    if name not in KPIS:
        raise TargetError(f"{name} is not a KPI", nearest(name, KPIS))
    return KPIS[name]


def parse_target(kpi: str, text: str | float) -> Target:
    """A target as people write it (`<= 5m`, `>= 99%`, `0`, `1000 EUR`), in the KPI's own unit. Raises TargetError.

    An operator on the wrong side (`>= 5m` for a delay) is refused: it would call the worse value the better one.
    """
    definition = kpi_named(kpi)
    found = _TARGET.fullmatch(text if isinstance(text, str) else repr(text))
    assert found is not None, "the pattern matches every text"
    natural: Operator = "<=" if definition.better == "lower" else ">="
    op = _OPERATORS[found[1]] if found[1] else natural
    if op != "==" and op[0] != natural[0]:
        raise TargetError(f"{kpi} is better when it is {definition.better}, so its target is written with {natural}")
    return Target(op, _value_in(definition, found[2]))


def default_target(kpi: Kpi) -> Target | None:
    """The target that holds where a scenario sets none, or None where only a scenario can know."""
    if kpi.default_target is None:
        return None
    return Target("<=" if kpi.better == "lower" else ">=", kpi.default_target)


def format_value(kpi: Kpi | str, value: float, currency: str | None = None) -> str:
    """A value in words of its unit: `4m10s`, `99.2 %`, `1234.50 EUR`, `3`, `0.5 per day`, `yes`; infinite is `never`."""
    definition = kpi_named(kpi) if isinstance(kpi, str) else kpi
    if math.isinf(value):
        return "never"
    match definition.unit:
        case "s":
            return _duration(value)
        case "ratio":
            return _ratio(value)
        case "money":
            return f"{value:.2f}" + (f" {currency}" if currency else "")
        case "bool":
            return ("no", "yes")[value >= 0.5] if value in {0.0, 1.0} else f"yes in {_ratio(value)}"
        case "per_day":
            return f"{_number(value)} per day"
        case "count" | "rank":
            return _number(value)


def format_target(kpi: Kpi | str, target: Target, currency: str | None = None) -> str:
    """A target as it may be written in a scenario, with blanks for reading: `<= 5m`, `>= 99 %`, `yes`."""
    definition = kpi_named(kpi) if isinstance(kpi, str) else kpi
    if definition.unit == "bool":
        return format_value(definition, target.value)
    return f"{target.op} {format_value(kpi, target.value, currency)}"


def kpi_reference() -> str:
    """The reference page of all KPIs, in Markdown."""
    lines = [
        "# KPI reference",
        "",
        _REFERENCE_INTRODUCTION,
    ]
    for dimension in DIMENSIONS:
        lines += ["", f"## {dimension}", "", "| KPI | what it is | default target | critical | source |", "|---|---|---|---|---|"]
        for kpi in KPIS.values():
            if kpi.dimension == dimension:
                lines.append(_reference_row(kpi))
    return "\n".join(lines) + "\n"


def _reference_row(kpi: Kpi) -> str:
    target = default_target(kpi)
    written = format_target(kpi, target) if target else "set by the scenario"
    written = f"**{written}**" if kpi.hard else written
    definition = f"{kpi.title[0].upper()}{kpi.title[1:]}. {kpi.definition}"
    return f"| `{kpi.name}` | {definition} | {written} | {'yes' if kpi.critical else ''} | {kpi.source} |"


def _value_in(kpi: Kpi, text: str) -> float:
    try:
        match kpi.unit:
            case "s":
                return units.parse_duration(text)
            case "ratio":
                return units.parse_ratio(text)
            case "money":
                return float(units.parse_money(text))
            case "bool":
                return _yes_no(text)
            case "per_day":
                return _plain_number(text.removesuffix("per day").rstrip())
            case "count" | "rank":
                return _plain_number(text)
    except units.UnitError as problem:
        raise TargetError(f"the target of {kpi.name} {problem}", problem.suggestion) from None


def _yes_no(text: str) -> float:
    found = _YES_NO.get(text.lower().removesuffix(".0"))
    if found is None:
        raise units.UnitError("must be yes or no", nearest(text, ("yes", "no", "true", "false")))
    return found


def _plain_number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise units.UnitError("must be a plain number, e.g. '2'") from None
    if not math.isfinite(value) or value < 0:
        raise units.UnitError("must be finite and not negative")
    return value


def _duration(value_s: float) -> str:
    """Seconds for reading: whole seconds from ten seconds, tenths from a tenth of a second, milliseconds below."""
    sign = "-" if value_s < 0 else ""
    size = abs(value_s)
    digits = 0 if size >= 10 else 1 if size >= 0.1 else 3
    return sign + units.format_duration(round(size, digits))


def _ratio(value: float) -> str:
    """Per cent with one decimal, and with as many more as it takes not to call a value 100 or 0 that is not."""
    percent = value * 100.0
    for digits in (1, 2, 3, 4):
        text = f"{percent:.{digits}f}".rstrip("0").rstrip(".")
        if text not in {"0", "100"} or percent in {0.0, 100.0}:
            return f"{text} %"
    return f"{percent:.6g} %"


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
