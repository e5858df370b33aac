"""Conditions of rules as PromQL, written and recognised.

    threshold on class/checkout, error_ratio above 5%, window 1m
    sum(rate(gameday_requests_failed_total{class="checkout"}[1m])) / sum(rate(gameday_requests_total{class="checkout"}[1m])) > 0.05

The rule that surprises: an expression is recognised when writing the rule that was read from it gives the same expression again, spaces
aside; everything else is foreign. So nothing is ever understood by half. Metrics are named in `docs/how-to/import-alerting.md`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gameday.alerting.burn_rate import error_limit_ratio
from gameday.alerting.threshold import DURATIONS, RATES, limit
from gameday.units import UnitError, format_duration, parse_duration

if TYPE_CHECKING:
    from gameday.scenario.monitoring import Monitoring, Rule

PLACES = {"class": "origin", "service": "region", "database": "zone", "queue": "region", "probe": "origin"}
"""Label of what stands after the `@`, by the kind of component."""
GAUGES = {"utilisation": "gameday_utilisation_ratio", "queue_length": "gameday_queue_length"}
_QUANTILES = {"latency_p50": "0.5", "latency_p95": "0.95", "latency_p99": "0.99"}
WATCHDOG = "vector(1)"
"""What always fires: the heartbeat, sent to a watchdog outside that pages when it stops."""


def expression_of(rule: Rule, monitoring: Monitoring) -> str | None:
    """The condition of a rule as PromQL; None for what PromQL cannot say (what is usual at an hour)."""
    match rule.kind:
        case "threshold":
            value = _value(rule.indicator, rule.on, rule.window)
            above = None if rule.above is None else f"{value} > {_number(limit(rule.indicator, rule.above))}"
            below = None if rule.below is None else f"{value} < {_number(limit(rule.indicator, rule.below))}"
            return " or ".join(each for each in (above, below) if each is not None)
        case "burn_rate":
            most = _number(error_limit_ratio(rule.burn, rule.objective))
            windows = (_value("error_ratio", rule.on, window) for window in (rule.long, rule.short))
            return " and ".join(f"{value} > {most}" for value in windows)
        case "probe":
            probe = monitoring.probes[rule.probe]
            origin = f"@{probe.origin}" if probe.origin else ""
            window = format_duration(probe.interval * rule.failures)
            return f"max by (origin) (max_over_time(probe_success{_selector(f'probe/{rule.probe}{origin}')}[{window}])) == 0"
        case "absence":
            return f"(sum(max_over_time(up{_selector(rule.on)}[{format_duration(rule.window)}])) or vector(0)) == 0"
        case "backlog":
            now = f"sum(gameday_queue_length{_selector(rule.on)})"
            then = f"sum(gameday_queue_length{_selector(rule.on)} offset {format_duration(rule.window)})"
            return f"{now} > {rule.above} and {now} > {then}"
        case "heartbeat":
            return WATCHDOG
        case "baseline":
            return None


def _value(indicator: str, on: str, window_s: float) -> str:
    selector, window = _selector(on), format_duration(window_s)
    kind = on.partition("/")[0]
    requests = "gameday_requests" if kind == "class" else "gameday_component_requests"
    rate = f"sum(rate({requests}_total{selector}[{window}]))"
    if indicator == "error_ratio":
        return f"sum(rate({requests}_failed_total{selector}[{window}])) / {rate}"
    if indicator == "request_rate":
        return rate
    if indicator in _QUANTILES:
        buckets = f"sum by (le) (rate(gameday_request_duration_seconds_bucket{selector}[{window}]))"
        return f"histogram_quantile({_QUANTILES[indicator]}, {buckets})"
    if indicator == "instances_up":
        return f"sum(avg_over_time(up{selector}[{window}]))"
    if indicator == "probe_success":
        return f"avg(avg_over_time(probe_success{selector}[{window}]))"
    if indicator == "replication_lag":
        return f"max(avg_over_time(gameday_replication_lag_seconds{selector}[{window}]))"
    return f"avg(avg_over_time({GAUGES[indicator]}{selector}[{window}]))"


def _selector(on: str) -> str:
    kind, _, rest = on.partition("/")
    name, _, place = rest.partition("@")
    labels = {kind: name} | ({PLACES[kind]: place} if place else {})
    return "{" + ",".join(f'{label}="{value}"' for label, value in labels.items()) + "}"


def _number(value: float) -> str:
    return f"{value:.12g}"


# -- recognising ----------------------------------------------------------------------------------------------------------

_ON = r'\{(?P<kind>class|service|database|queue|probe|zone|region)="(?P<name>[^"]*)"(?:,(?:origin|region|zone)="(?P<place>[^"]*)")?\}'
_WINDOW = r"\[(?P<window>[0-9a-z]+)\]"
_VALUE_SHAPES = {
    "error_ratio": r"sum\(rate\(gameday_(?:component_)?requests_failed_total",
    "request_rate": r"sum\(rate\(gameday_(?:component_)?requests_total",
    "latency": r"histogram_quantile\((?P<quantile>[0-9.]+), sum by \(le\) \(rate\(gameday_request_duration_seconds_bucket",
    "instances_up": r"sum\(avg_over_time\(up",
    "probe_success": r"avg\(avg_over_time\(probe_success",
    "replication_lag": r"max\(avg_over_time\(gameday_replication_lag_seconds",
    "utilisation": r"avg\(avg_over_time\(gameday_utilisation_ratio",
    "queue_length": r"avg\(avg_over_time\(gameday_queue_length",
}
_WINDOWS = re.compile(r"\[([0-9a-z]+)\]")
_LIMITS = re.compile(r"([<>]) ([-+0-9.e]+)(?= |$)")


def rule_of(expression: str, monitoring: Mapping[str, Any]) -> dict[str, Any] | None:
    """The rule (its kind and condition) an expression says, or None when no rule says it.

    `monitoring` is that of the scenario it is for, as plain values: probe rules need its probes.
    """
    text = " ".join(expression.split())
    for read in (_heartbeat, _absence, _backlog, _probe, _burn_rate, _threshold):
        found = read(text, monitoring)
        if found is not None and _same(found, monitoring, text):
            return found
    return None


def _same(found: Mapping[str, Any], monitoring: Mapping[str, Any], text: str) -> bool:
    """Whether writing what was read gives what was written."""
    from pydantic import ValidationError

    from gameday.scenario.monitoring import Monitoring

    try:
        known = Monitoring.model_validate({"probes": monitoring.get("probes", {}), "rules": {"read": found}})
        written = expression_of(known.rules["read"], known)
    except (ValidationError, UnitError, KeyError):
        return False
    return written is not None and re.sub(r"\s", "", written) == re.sub(r"\s", "", text)


def _on(text: str) -> str | None:
    found = re.search(_ON, text)
    if found is None:
        return None
    return f"{found['kind']}/{found['name']}" + (f"@{found['place']}" if found["place"] else "")


def _first(pattern: str, text: str, name: str) -> str | None:
    found = re.search(pattern, text)
    return None if found is None else found[name]


def _heartbeat(text: str, _monitoring: Mapping[str, Any]) -> dict[str, Any] | None:
    return {"kind": "heartbeat"} if text == WATCHDOG else None


def _absence(text: str, _monitoring: Mapping[str, Any]) -> dict[str, Any] | None:
    on, window = _on(text), _first(_WINDOW, text, "window")
    return {"kind": "absence", "on": on, "window": window} if on and window and "vector(0)" in text else None


def _backlog(text: str, _monitoring: Mapping[str, Any]) -> dict[str, Any] | None:
    on, window = _on(text), _first(r"offset (?P<window>[0-9a-z]+)", text, "window")
    above = _first(r"> (?P<above>[0-9]+) and", text, "above")
    return {"kind": "backlog", "on": on, "above": int(above), "window": window} if on and window and above else None


def _probe(text: str, monitoring: Mapping[str, Any]) -> dict[str, Any] | None:
    name, window = _first(r'probe_success\{probe="(?P<probe>[^"]*)"', text, "probe"), _first(_WINDOW, text, "window")
    probe = (monitoring.get("probes") or {}).get(name)
    if not text.startswith("max by (origin)") or probe is None or window is None:
        return None
    interval = parse_duration(probe.get("interval", "30s"))
    return {"kind": "probe", "probe": name, "failures": max(1, round(parse_duration(window) / interval))}


def _burn_rate(text: str, _monitoring: Mapping[str, Any]) -> dict[str, Any] | None:
    """The objective is the workbook's that gives one of its burn rates, else the limit burns 1 of it."""
    on, windows, limits = _on(text), list(dict.fromkeys(_WINDOWS.findall(text))), _LIMITS.findall(text)
    if on is None or len(windows) != 2 or len(limits) != 2 or " and " not in text:
        return None
    most = float(limits[0][1])
    for burn in (14.4, 6.0, 3.0, 1.0):
        objective = round(1 - most / burn, 10)
        if 0 < objective < 1 and round(objective, 5) == objective:
            break
    return {"kind": "burn_rate", "on": on, "objective": objective, "burn": burn, "long": windows[0], "short": windows[1]}


def _threshold(text: str, _monitoring: Mapping[str, Any]) -> dict[str, Any] | None:
    on, window, limits = _on(text), _first(_WINDOW, text, "window"), _LIMITS.findall(text)
    shape = next((name for name, start in _VALUE_SHAPES.items() if re.match(start, text)), None)
    if on is None or window is None or shape is None or not limits:
        return None
    if shape == "latency":
        wanted = _first(_VALUE_SHAPES["latency"], text, "quantile")
        shape = next((name for name, quantile in _QUANTILES.items() if quantile == wanted), "none")
    found: dict[str, Any] = {"kind": "threshold", "on": on, "indicator": shape, "window": window}
    for sign, written in limits:
        found["above" if sign == ">" else "below"] = _written(str(shape), float(written))
    return found


def _written(indicator: str, number: float) -> str | float:
    """A limit as people write it, with the unit of its indicator."""
    if indicator in DURATIONS:
        return format_duration(number)
    return f"{number:g}/s" if indicator in RATES else number
