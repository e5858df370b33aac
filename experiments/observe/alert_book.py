"""Alerts that somebody else evaluates (Prometheus, Alertmanager), written down once each however often they are reported.

The rule that surprises: Prometheus is asked twice a second and Alertmanager calls when it notifies; whoever is first is believed about
the instant. An alert that fires and resolves while Alertmanager still waits for its group is known from Prometheus alone.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from experiments.observe.notebook import Notebook
from gameday.scenario.model import Scenario

Labels = dict[str, str]
Key = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Known:
    """One alert while it lasts."""

    state: str
    since: float
    labels: Labels


class AlertBook:
    """Pending, firing and resolved alerts; safe to be used from several threads."""

    def __init__(self, scenario: Scenario, notebook: Notebook) -> None:
        self._scenario, self._notebook = scenario, notebook
        self._known: dict[Key, _Known] = {}
        self._over: dict[Key, float] = {}
        """When alerts that are over began, so that a late report of them is not a new one."""
        self._lock = threading.Lock()

    def labels(self, found: Mapping[str, Any]) -> Labels:
        """Labels as the project names them: Prometheus calls the rule `alertname`."""
        labels = {str(name): str(value) for name, value in found.items()}
        name = labels.pop("alertname", None)
        labels.setdefault("rule", name or "unnamed")
        return labels

    def subject(self, labels: Labels) -> str:
        """What an alert is about, as the project's own machines name it."""
        rule = self._scenario.monitoring.every_rule.get(labels["rule"])
        component = labels.get("component") or f"rule/{labels['rule']}"
        if rule is not None and rule.kind == "probe":
            component = f"class/{self._scenario.monitoring.probes[rule.probe].request_class}"
        place = labels.get("origin") or labels.get("region")
        return f"{component}@{place}" if place and not component.startswith("region/") else component

    def report(self, found: Mapping[str, Any], *, firing: bool, at: float, began: float, by: str, value: object = None) -> None:
        """Somebody says that an alert which began at `began` fires, or is over, since `at`."""
        labels = self.labels(found)
        with self._lock:
            self._take(labels, "firing" if firing else "resolved", at, began, by, value)

    def pending(self, found: Mapping[str, Any], *, began: float, by: str, value: object) -> None:
        """Its condition holds, not yet for long enough."""
        with self._lock:
            self._take(self.labels(found), "pending", began, began, by, value)

    def only(self, reported: Iterable[Mapping[str, Any]], by: str) -> None:
        """These are all alerts there are: what is not among them is over."""
        left = {_key(self.labels(each)) for each in reported}
        now = self._notebook.clock.now()
        with self._lock:
            for key, known in list(self._known.items()):
                if key not in left:
                    self._take(known.labels, "resolved", now, known.since, by, None)

    def _take(self, labels: Labels, state: str, at: float, began: float, by: str, value: object) -> None:
        key = _key(labels)
        known = self._known.get(key)
        if state == "resolved":
            if known is None:
                return
            self._over[key] = known.since
            del self._known[key]
            if known.state == "pending":
                return
        else:
            if known is not None and known.state in {state, "firing"}:
                return
            if known is None and began <= self._over.get(key, -math.inf) + 1e-3:
                return  # an old report
            self._known[key] = _Known(state, known.since if known else began, labels)
        rule = self._scenario.monitoring.every_rule.get(labels["rule"])
        severity = rule.severity if rule is not None else labels.get("severity", "page")
        data: dict[str, Any] = {"rule": labels["rule"], "severity": severity, "labels": labels, "evaluator": by}
        if value is not None:
            data["value"] = float(str(value))
        self._notebook.say(f"alert.{state}", self.subject(labels), data, at=max(0.0, at))


def _key(labels: Labels) -> Key:
    return tuple(sorted(labels.items()))


def instant(text: object, wall_at_0: float, now: float) -> float:
    """An instant of the run from a wall time in RFC 3339, never later than now; now where it is none."""
    try:
        wall = datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return now
    return min(now, wall - wall_at_0)
