"""The observing process: `python -m experiments.observe LIVE_FOLDER SCENARIO TARGET EVALUATORS`; it ends when its standard input does.

Every quarter of a second it takes in what the load generator wrote, judges impact, evaluates the alert rules and drives the pages.
"""

from __future__ import annotations

import os
import secrets
import select
import sys
from contextlib import suppress
from pathlib import Path

from experiments.clock import RunClock
from experiments.observe.alert_book import AlertBook
from experiments.observe.evaluators import OWN, RealEvaluators
from experiments.observe.indicators import LiveIndicators
from experiments.observe.looking import guarded_thread, start_looking
from experiments.observe.metrics import metrics
from experiments.observe.notebook import Notebook
from experiments.observe.pages import Pages
from experiments.observe.receivers import Receivers
from experiments.session import CLOCK_FILE
from gameday.alerting.alert import Notification
from gameday.alerting.labels import owners
from gameday.alerting.pipeline import Alerting
from gameday.errors import GamedayError
from gameday.impact import ImpactMachine
from gameday.load_stream import LoadStream
from gameday.scenario import read_played
from gameday.scenario.model import Scenario
from gameday.target import Target, read_target
from gameday.timeline_files import read_timeline

TICK_S = 0.25


class Observer:
    """Everything that is decided from what was seen."""

    def __init__(self, folder: Path, scenario: Scenario, target: Target, evaluators: str) -> None:
        self._folder = folder
        self._target = target
        self._scenario = scenario
        self.notebook = Notebook(folder, "observer", RunClock.read(folder / CLOCK_FILE))
        self.stream = LoadStream(folder)
        self.indicators = LiveIndicators(self.stream, scenario.monitoring.scrape)
        self.pages = Pages(scenario, self.notebook)
        self._impact = ImpactMachine(scenario.load.classes, self.stream.answered, self._active_faults)
        self._judged = int(scenario.warmup)
        self._alerting: Alerting | None = None
        self._real: RealEvaluators | None = None
        self._evaluators = evaluators
        self.book = AlertBook(scenario, self.notebook)
        self._scraped = ""

    def metrics(self) -> str:
        """What Prometheus scrapes; made by the thread that reads the stream."""
        return self._scraped

    def start_alerting(self, url: str, token: str) -> None:
        """Whoever was chosen begins to evaluate; the project's own machines where the others do not start."""
        if self._evaluators == "prometheus":
            real = RealEvaluators(self._scenario, self._target, self.notebook.clock, self.book)
            self._real = real
            try:
                real.start(url, token)
            except GamedayError as error:
                text = f"Prometheus does not evaluate this day's rules, the project's own machines do: {error}"
                self.notebook.say("note", "monitoring", {"text": text.replace(token, "***")}, at=0.0)
                self._evaluators = "own"
            else:
                guarded_thread(real.look).start()
        if self._evaluators == "own":
            self._alerting = Alerting(
                self._scenario.monitoring,
                owners=owners(self._scenario.system),
                origins=self._scenario.system.traffic.origins,
                starts=self._scenario.starts,
            )

    def tick(self) -> None:
        """One round."""
        now = self.notebook.clock.now()
        if self.stream.read():
            self._judge()
        if now >= 0.0 and self._alerting is not None:
            self._alert(self._alerting, now)
        self.pages.tick()
        if self._real is not None:
            self._scraped = metrics(self.stream, self.indicators)

    def _judge(self) -> None:
        until = self.stream.complete_until
        while until is not None and self._judged < until:
            self._judged += 1
            for change in self._impact.check(float(self._judged)):
                self.notebook.say(change.kind, f"class/{change.request_class}", change.data, at=change.at)

    def _active_faults(self) -> set[str]:
        """Faults that the controller has put in place and not taken away."""
        record = self._folder / "controller.jsonl"
        if not record.exists():
            return set()
        active: set[str] = set()
        for event in read_timeline(record).of("fault.injected", "fault.healed"):
            (active.add if event.kind == "fault.injected" else active.discard)(str(event.data["index"]))
        return active

    def _alert(self, alerting: Alerting, now: float) -> None:
        for event in alerting.evaluate(now, self.indicators):
            data = {"rule": event.rule, "severity": event.severity, "value": event.value, "labels": dict(event.labels)}
            data["evaluator"] = OWN
            self.notebook.say(f"alert.{event.transition}", event.subject, data, at=now)
        for notification in alerting.notifications(now):
            self._notify(notification, now)
        for held in alerting.suppressions():
            about = {"rule": held.alert.rule, "why": held.why, "labels": dict(held.alert.labels), "evaluator": OWN}
            self.notebook.say("alert.suppressed", held.alert.subject, about, at=now)

    def _notify(self, notification: Notification, now: float) -> None:
        subject = notification.firing[0].subject if notification.firing else notification.resolved[0].subject
        group = dict(notification.group)
        about = {"rules": list(notification.rules), "receiver": notification.receiver, "group": group, "evaluator": OWN}
        self.notebook.say("alert.notified", subject, about, at=now)
        if notification.kind != "page":
            return
        if notification.firing:
            self.pages.page(notification.group_key, notification.team, notification.rules, subject, OWN)
        else:
            self.pages.resolved(notification.group_key)

    def finish(self) -> None:
        """Take in the last counts, say what nobody measured, close the record."""
        self.stream.read()
        self._judge()
        if self._real is not None:
            with suppress(GamedayError):
                self._real.end()
        for what in sorted(self.indicators.without_data):
            self.notebook.say("note", "monitoring", {"text": f"nobody measured {what}"})
        self.notebook.close()


def main(folder: Path, scenario_file: str, target_file: str, evaluators: str) -> None:
    """Observe until standard input ends: then the controller is done, or dead."""
    scenario, target = read_played(scenario_file), read_target(target_file)
    observer = Observer(folder, scenario, target, evaluators)
    steering = start_looking(scenario, target, observer.indicators, observer.notebook, folder)
    token = secrets.token_urlsafe(24)
    receivers = Receivers(scenario, observer.notebook, observer.pages, token, observer.book, observer.metrics, steering)
    observer.start_alerting(receivers.start(folder), token)
    while not select.select([sys.stdin], [], [], TICK_S)[0]:
        observer.tick()
    observer.finish()
    sys.stdout.flush()
    os._exit(0)  # threads may be waiting for answers; everything is on disk


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
