"""Who evaluates the alert rules of a day: Prometheus and Alertmanager where they can be had, else the project's own machines.

The target's supervisor starts both with rules and routes made from the scenario and ends them with the day. The rule that surprises: an
Alertmanager that the target file names is its owner's. It is left as it is, and heard when it calls the day's webhook.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import yaml

from experiments.adapters.alertmanager import Alertmanager
from experiments.adapters.prometheus import Prometheus
from experiments.adapters.supervisor import Supervisor
from experiments.calls import CallError
from experiments.clock import RunClock
from experiments.observe.alert_book import AlertBook, instant
from experiments.observe.pace import every
from gameday.alerting.files import Export
from gameday.alerting.files.alertmanager import alertmanager_text
from gameday.alerting.files.prometheus import rules_text
from gameday.alerting.matchers import Matcher, parse_matchers
from gameday.errors import GamedayError
from gameday.scenario.model import Scenario
from gameday.target import Target

Kind = Literal["own", "prometheus", "foreign"]
Wish = Literal["auto", "own", "prometheus"]
OWN: Final = "gameday"
PROMETHEUS: Final = "prometheus"
LOOK_EVERY_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Choice:
    """Who evaluates, and why not Prometheus where it does not."""

    kind: Kind
    words: str


def choose(scenario: Scenario, target: Target, wish: Wish = "auto") -> Choice:
    """Who will evaluate the rules of a day. GamedayError when Prometheus is asked for and cannot be had."""
    if target.alertmanager is not None and wish != "own":
        return Choice("foreign", f"the Alertmanager that the target names, {target.alertmanager}, by webhook")
    if wish == "own":
        return Choice("own", "the project's own machines, as asked for")
    why_not = _why_not(scenario, target)
    if why_not is None:
        return Choice("prometheus", "Prometheus and Alertmanager, started for the day")
    if wish == "prometheus":
        raise GamedayError(f"Prometheus cannot evaluate the rules of this day: {why_not}")
    return Choice("own", f"the project's own machines: {why_not}")


def _why_not(scenario: Scenario, target: Target) -> str | None:
    if target.supervisor is None:
        return "the target names no supervisor that could start Prometheus"
    try:
        missing = Supervisor(target.supervisor, target.token()).monitoring_lacks()
    except CallError:
        missing = None
    if missing is None:
        return "the target's supervisor starts no Prometheus"
    if missing:
        return f"{', '.join(missing)} is not installed"
    untold = [name for name, rule in scenario.monitoring.every_rule.items() if rule.kind == "baseline"]
    return f"PromQL cannot say what is usual at an hour (rule {untold[0]})" if untold else None


def routes(scenario: Scenario, webhook: str) -> str:
    """The routing of a scenario for Alertmanager; whoever is told anything is told through the webhook."""
    data: dict[str, Any] = yaml.safe_load(alertmanager_text(scenario).text)
    routing = scenario.monitoring.routing
    for receiver in data["receivers"]:
        known = routing.receivers[receiver["name"]] if routing is not None else None
        if known is None or known.kind != "none":
            told = known is None or known.send_resolved
            receiver["webhook_configs"] = [{"url": webhook, "send_resolved": told}]
    return yaml.safe_dump(data, sort_keys=False)


def scrape_of(url: str, token: str) -> dict[str, Any]:
    """How Prometheus scrapes the observers of a day."""
    return {
        "job_name": "observers",
        "metrics_path": "/metrics",
        "authorization": {"type": "Bearer", "credentials": token},
        "static_configs": [{"targets": [urlsplit(url).netloc]}],
    }


class RealEvaluators:
    """Prometheus and Alertmanager for one day."""

    def __init__(self, scenario: Scenario, target: Target, clock: RunClock, book: AlertBook) -> None:
        """Nothing is started yet."""
        assert target.supervisor is not None, "the supervisor starts them"
        self._scenario, self._clock, self._book = scenario, clock, book
        self._supervisor = Supervisor(target.supervisor, target.token())
        self._prometheus: Prometheus | None = None

    def start(self, url: str, token: str) -> None:
        """Start both; `url` is where the day's receivers listen. GamedayError when they do not work."""
        rules: Export = rules_text(self._scenario)
        found = self._supervisor.start_monitoring(
            rules.text,
            routes(self._scenario, f"{url}/alertmanager/{token}"),
            self._scenario.monitoring.scrape,
            [scrape_of(url, token)],
        )
        self._prometheus = Prometheus(found["prometheus"])
        alertmanager = Alertmanager(found["alertmanager"])
        for matchers, starts, ends, why in self._silences():
            alertmanager.silence(matchers, starts, ends, why)

    def _silences(self) -> Iterator[tuple[list[Matcher], float, float, str]]:
        for silence in self._scenario.monitoring.silences:
            texts = [*([f'alertname="{silence.rule}"'] if silence.rule else []), *silence.matchers]
            matchers = [each for text in texts for each in parse_matchers(text)]
            named = [Matcher("alertname" if each.label == "rule" else each.label, each.operator, each.value) for each in matchers]
            yield named, self._clock.wall_at(silence.at), self._clock.wall_at(silence.at + silence.lasts), silence.why

    def look(self) -> None:
        """Ask Prometheus again and again what is pending and firing. An answer that does not come says nothing."""
        assert self._prometheus is not None, "it was started"
        for _ in every(LOOK_EVERY_S):
            try:
                alerts = self._prometheus.alerts()
            except GamedayError:
                continue
            self.take(alerts)

    def take(self, alerts: list[dict[str, Any]]) -> None:
        """One answer of Prometheus: every alert that is not over."""
        now = self._clock.now()
        for alert in alerts:
            began = instant(alert.get("activeAt"), self._clock.wall, now)
            if alert.get("state") == "firing":
                rule = self._scenario.monitoring.every_rule.get(self._book.labels(alert["labels"])["rule"])
                at = began if rule is not None and not rule.hold else now
                self._book.report(alert["labels"], firing=True, at=at, began=began, by=PROMETHEUS, value=alert.get("value"))
            else:
                self._book.pending(alert["labels"], began=began, by=PROMETHEUS, value=alert.get("value"))
        self._book.only([alert["labels"] for alert in alerts], PROMETHEUS)

    def end(self) -> None:
        """End both with the day."""
        self._supervisor.end_monitoring()
