"""How the reports say things: times, values, intervals, grades.

The rule that surprises: a value that was cut off by the end of the run is never printed bare; it is "at least" so much, and
when nothing was observed at all, "never".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from gameday import units
from gameday.scores.kpis import KPIS, format_target, format_value, parse_target

GRADE_WORDS: Final[Mapping[str, str]] = {
    "P": "performed",
    "S": "performed with some challenges",
    "M": "performed with major challenges",
    "U": "unable to perform",
    "UNKNOWN": "could not be judged",
    "UNGRADED": "measured, but nobody set a target",
    "NOT_APPLICABLE": "does not apply here",
}
"""The exercise-evaluation scale in words."""

GRADE_SHORT: Final[Mapping[str, str]] = {"UNKNOWN": "?", "NOT_APPLICABLE": "n/a", "UNGRADED": "-"}
"""What stands where a letter of the scale would, in a column."""

VERDICT_WORDS: Final[Mapping[str, str]] = {
    "met": "passed: no gate was missed",
    "not_met": "failed: a gate was missed or something failed hard",
    "inconclusive": "inconclusive: a gate could not be judged",
}
"""The verdict of a run in words."""

LOST_WORDS: Final[Mapping[str, str]] = {
    "refused": "nobody listened: the instance was down",
    "crashed": "the instance died while it held the request",
    "queue_full": "the queue was full",
    "shed": "shed by priority, before the queue was full",
    "rate_limited": "refused by the rate limit at the gateway",
    "timeout": "not answered within the timeout",
    "breaker_open": "the caller's circuit breaker was open",
    "error": "answered with an error",
    "partitioned": "the link was cut",
    "packet_loss": "lost on the network",
    "no_route": "no instance in rotation, or no address to go to",
    "read_only": "a write reached a node that may not write",
    "stale": "the copy was older than its limit",
    "late": "answered, but after the deadline",
    "dns": "the name could not be resolved",
    "bulkhead": "its caller had as many calls under way as it may",
    "pool": "no connection became free in time",
    "deadline": "the deadline that travelled with the request had passed",
    "dropped": "dropped from the queue: it had waited too long, or its deadline had passed",
    "limited": "refused by the instance's concurrency limiter",
}
"""Reasons for which a request is lost, in words."""

SHED_REASONS: Final = frozenset({"shed", "rate_limited", "dropped", "limited"})
"""Reasons that are a choice of policy: the request was refused on purpose. Every other reason is a failure."""


def clock(time_s: float, *, hours: bool = False) -> str:
    """A time from the start as `m:ss`, or with `hours` as `h:mm:ss`; rounded down to whole seconds, as a clock shows it."""
    sign, whole = ("-", -time_s) if time_s < 0 else ("", time_s)
    seconds = int(whole + 1e-6)
    if hours:
        return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{sign}{seconds // 60}:{seconds % 60:02d}"


def duration(length_s: float) -> str:
    """A length of time for reading: `4m10s`, whole seconds from ten seconds on; `never` when it is infinite."""
    if math.isinf(length_s):
        return "never"
    size = abs(float(length_s))
    digits = 0 if size >= 10 else 1 if size >= 0.1 else 3
    return ("-" if length_s < 0 else "") + units.format_duration(round(size, digits))


def percent(ratio: float) -> str:
    """A share as a percentage; with as many decimals as it takes not to call a share 0 or 100 % that is not."""
    for digits in (1, 2, 3, 4):
        text = f"{ratio * 100:.{digits}f}".rstrip("0").rstrip(".")
        if text not in {"0", "100"} or ratio in {0.0, 1.0}:
            return f"{text} %"
    return f"{ratio * 100:.3g} %"


def count(number: float) -> str:
    """A number of things: whole, in groups of three."""
    return f"{number:,.0f}".replace(",", "\N{NO-BREAK SPACE}")


def value(kpi: str, number: float | None, unit: str = "", currency: str | None = None) -> str:
    """A KPI's value in words of its unit; a KPI that this version does not know is printed with the unit it came with."""
    if number is None:
        return "not known"
    if kpi in KPIS:
        return format_value(kpi, number, currency)
    if math.isinf(number):
        return "never"
    return f"{number:g} {unit}".strip()


def target(kpi: str, written: object, currency: str | None = None) -> str:
    """A target as it was set, in the words of the KPI's unit; empty where there is none."""
    if written is None:
        return ""
    if isinstance(written, Mapping):
        op, number = str(written.get("op", "")), written.get("value")
        return f"{op} {value(kpi, float(number), '', currency)}" if isinstance(number, int | float) else ""
    if kpi in KPIS and isinstance(written, str | int | float):
        try:
            return format_target(kpi, parse_target(kpi, written), currency)
        except units.UnitError:
            return str(written)
    return str(written)


def target_value(kpi: str, written: object) -> float | None:
    """The number of a target in the KPI's base unit, or None where there is none that can be read."""
    if isinstance(written, Mapping):
        found = written.get("value")
        return float(found) if isinstance(found, int | float) else None
    if kpi in KPIS and isinstance(written, str | int | float):
        try:
            return parse_target(kpi, written).value
        except units.UnitError:
            return None
    return None


def estimate(kpi: str, data: Mapping[str, Any] | None, unit: str = "", currency: str | None = None) -> str:
    """A quantile without its interval: `4m10s`, or `at least 30m` when it was cut off by the end of the run.

    What is no time has no bound (a rank that was never found is at least nothing), so when cut off it is `never`.
    """
    if not data or data.get("value") is None:
        return "not known"
    if data.get("censored") and (KPIS[kpi].unit if kpi in KPIS else unit) != "s":
        return "never"
    text = value(kpi, float(data["value"]), unit, currency)
    return f"at least {text}" if data.get("censored") and text != "never" else text


def interval(kpi: str, data: Mapping[str, Any] | None, unit: str = "", currency: str | None = None) -> str:
    """The interval of an estimate, `3m50s to 4m40s`; an end that the sample cannot bound is said to be open.

    A share is bounded by 0 and 100 % anyway; yes and no have no interval worth reading.
    """
    if not data or (data.get("low") is None and data.get("high") is None):
        return ""
    low, high = data.get("low"), data.get("high")
    kind = KPIS[kpi].unit if kpi in KPIS else unit
    if kind == "bool" or (data.get("censored") and kind != "s"):
        return ""
    if kind == "ratio":
        low, high = (0.0 if low is None else low), (1.0 if high is None else high)
    if low is None:
        return f"up to {value(kpi, float(high), unit, currency)}" if high is not None else ""
    if high is None:
        return f"{value(kpi, float(low), unit, currency)} or more"
    return f"{value(kpi, float(low), unit, currency)} to {value(kpi, float(high), unit, currency)}"


def shares(data: Mapping[str, Any] | None) -> str:
    """A share with its interval: `86.7 % (70.3 % to 94.7 %)`."""
    if not data or data.get("value") is None:
        return "not known"
    text = percent(float(data["value"]))
    if data.get("low") is not None and data.get("high") is not None:
        text += f" ({percent(float(data['low']))} to {percent(float(data['high']))})"
    return text


def shortened(text: str, longest: int) -> str:
    """The text, cut with an ellipsis where it is longer."""
    flat = " ".join(text.split())
    return flat if len(flat) <= longest else flat[: longest - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def shortened_in_the_middle(text: str, longest: int) -> str:
    """The text with its middle cut out, because names of one family differ at the end."""
    flat = " ".join(text.split())
    if len(flat) <= longest:
        return flat
    tail = (longest - 1) // 2
    return flat[: longest - 1 - tail].rstrip() + "\N{HORIZONTAL ELLIPSIS}" + flat[len(flat) - tail :]
