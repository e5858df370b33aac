"""The observing process: `python -m experiments.observe LIVE_FOLDER SCENARIO TARGET`; it ends when its standard input does.

Every quarter of a second it takes in what the load generator wrote, judges impact, evaluates the alert rules and drives the pages.
"""

from __future__ import annotations

import os
import secrets
import select
import sys
from pathlib import Path

from experiments.clock import RunClock
from experiments.observe.indicators import LiveIndicators
from experiments.observe.looking import start_looking
from experiments.observe.notebook import Notebook
from experiments.observe.pages import Pages
from experiments.observe.receivers import Receivers
from experiments.session import CLOCK_FILE
from gameday.alerting.alert import Notification
from gameday.alerting.labels import owners
from gameday.alerting.pipeline import Alerting
from gameday.impact import ImpactMachine
from gameday.load_stream import LoadStream
from gameday.scenario import read_played
from gameday.scenario.model import Scenario
from gameday.target import Target, read_target
from gameday.timeline_files import read_timeline

TICK_S = 0.25


class Observer:
    """Everything that is decided from what was seen."""

    def __init__(self, folder: Path, scenario: Scenario, target: Target) -> None:
        self._folder = folder
        self._scenario = scenario
        self.notebook = Notebook(folder, "observer", RunClock.read(folder / CLOCK_FILE))
        self.stream = LoadStream(folder)
        self.indicators = LiveIndicators(self.stream, scenario.monitoring.scrape)
        self.pages = Pages(scenario, self.notebook)
        self._impact = ImpactMachine(scenario.load.classes, self.stream.answered, self._active_faults)
        self._judged = int(scenario.warmup)
        origins = scenario.system.traffic.origins
        self._alerting: Alerting | None = None
        if target.alertmanager is None:
            self._alerting = Alerting(
                scenario.monitoring, owners=owners(scenario.system), origins=origins, starts=scenario.starts
            )

    def tick(self) -> None:
        """One round."""
        now = self.notebook.clock.now()
        if self.stream.read():
            self._judge()
        if now >= 0.0 and self._alerting is not None:
            self._alert(self._alerting, now)
        self.pages.tick()

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
            self.notebook.say(f"alert.{event.transition}", event.subject, data, at=now)
        for notification in alerting.notifications(now):
            self._notify(notification, now)
        for held in alerting.suppressions():
            about = {"rule": held.alert.rule, "why": held.why, "labels": dict(held.alert.labels)}
            self.notebook.say("alert.suppressed", held.alert.subject, about, at=now)

    def _notify(self, notification: Notification, now: float) -> None:
        subject = notification.firing[0].subject if notification.firing else notification.resolved[0].subject
        group = dict(notification.group)
        about = {"rules": list(notification.rules), "receiver": notification.receiver, "group": group}
        self.notebook.say("alert.notified", subject, about, at=now)
        if notification.receiver != "page":
            return
        if notification.firing:
            self.pages.page(notification.group_key, notification.team, notification.rules, subject)
        else:
            self.pages.resolved(notification.group_key)

    def finish(self) -> None:
        """Take in the last counts, say what nobody measured, close the record."""
        self.stream.read()
        self._judge()
        for what in sorted(self.indicators.without_data):
            self.notebook.say("note", "monitoring", {"text": f"nobody measured {what}"})
        self.notebook.close()


def main(folder: Path, scenario_file: str, target_file: str) -> None:
    """Observe until standard input ends: then the controller is done, or dead."""
    scenario, target = read_played(scenario_file), read_target(target_file)
    observer = Observer(folder, scenario, target)
    start_looking(scenario, target, observer.indicators, observer.notebook)
    Receivers(scenario, observer.notebook, observer.pages, secrets.token_urlsafe(24)).start(folder)
    while not select.select([sys.stdin], [], [], TICK_S)[0]:
        observer.tick()
    observer.finish()
    sys.stdout.flush()
    os._exit(0)  # threads may be waiting for answers; everything is on disk


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
