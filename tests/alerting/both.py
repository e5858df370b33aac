"""The same alerts by both: the configuration of the real Alertmanager made from a routing, our dispatcher's replay, and how they are compared.

The rule that surprises: the replay is given the instants at which the real one took the alerts, so that its haste decides nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from gameday.alerting.alert import Alert, labels_of
from gameday.alerting.dispatch import Dispatcher
from gameday.alerting.matchers import parse_matchers
from gameday.alerting.mute import InhibitRule, SilencePeriod
from gameday.alerting.routes import receivers_of, tree_of
from gameday.alerting.time_intervals import wall_interval
from gameday.people import wall_time
from gameday.scenario.routing import Routing
from tests.alerting.alertmanager import Alertmanager, Hook, by_receiver

FAR = 1000.0
Send = tuple[float, Mapping[str, str], float, float]
"""When it is sent, labels, start, end."""
Sent = list[tuple[float, Send]]
"""Alerts, each with the time at which the real one took it."""


@dataclass(frozen=True)
class World:
    """What both are told beside the alerts."""

    routing: Mapping[str, Any]
    """As a scenario writes it."""
    ends: float
    """When comparing ends, seconds."""
    inhibitions: Sequence[Mapping[str, Any]] = ()
    silences: Sequence[tuple[str, float, float]] = ()
    """Matchers, start, end."""

    def configuration(self, url: str) -> Mapping[str, Any]:
        """What the real one reads; every receiver is the webhook."""
        hooks = {
            name: [{"url": url, "send_resolved": receiver.get("send_resolved", True)}]
            for name, receiver in self.routing["receivers"].items()
        }
        return {
            "route": self.routing["route"],
            "receivers": [{"name": name, "webhook_configs": hook} for name, hook in hooks.items()],
            "time_intervals": [{"name": name, "time_intervals": each} for name, each in self.routing["time_intervals"].items()],
            "inhibit_rules": [
                {"source_matchers": [rule["source"]], "target_matchers": [rule["target"]], "equal": rule["equal"]}
                for rule in self.inhibitions
            ],
        }

    def send_all(self, real: Alertmanager, sends: Sequence[Send]) -> Sent:
        """Send every alert in its time and wait for the end."""
        taken: Sent = []
        for send in sends:
            real.wait_until(send[0])
            taken.append((real.send(send[1], send[2], send[3]), send))
        real.wait_until(self.ends)
        return taken

    def ours(self, sent: Sent, began: datetime) -> tuple[list[Hook], list[float]]:
        """What our dispatcher notifies of the alerts, each taken when the real one took it; and when it flushed."""
        written = Routing.model_validate(self.routing)
        dispatcher = Dispatcher(
            tree_of(written.route),
            receivers=receivers_of(written.receivers),
            inhibitions=[
                InhibitRule(parse_matchers(str(r["source"])), parse_matchers(str(r["target"])), tuple(r["equal"]))
                for r in self.inhibitions
            ],
            silences=[SilencePeriod(parse_matchers(matchers), starts, ends, "test") for matchers, starts, ends in self.silences],
            intervals={name: [wall_interval(one) for one in each] for name, each in written.time_intervals.items()},
            wall=partial(wall_time, began),
        )
        hooks: list[Hook] = []
        flushes: list[float] = []
        waiting = list(sent)
        while True:
            flush = dispatcher.next_at()
            now = min(waiting[0][0] if waiting else FAR, FAR if flush is None else flush)
            if now > self.ends:
                return hooks, flushes
            while waiting and waiting[0][0] <= now:
                _, (_, labels, starts, ends) = waiting.pop(0)
                dispatcher.receive(Alert(labels_of(labels), labels["alertname"], "s", "", None, 1.0, starts, ends), now)
            flush = dispatcher.next_at()
            if flush is not None and flush <= now:
                flushes.append(now)
            for told in dispatcher.flush(now):
                names = (frozenset(alert.rule for alert in alerts) for alerts in (told.firing, told.resolved))
                hooks.append(Hook(told.at, told.receiver, told.group, *names))


def compare(theirs: Sequence[Hook], expected: Sequence[Hook], within_s: float = 1.0) -> int:
    """Asserts that both say the same, at flushes that lie further apart than `within_s`; the number of groups that were told anything."""
    said, due = by_receiver(theirs), by_receiver(expected)
    words = {key: [(sorted(h.firing), sorted(h.resolved)) for h in hooks] for key, hooks in said.items()}
    assert words == {key: [(sorted(h.firing), sorted(h.resolved)) for h in hooks] for key, hooks in due.items()}, (said, due)
    late = [
        (key, a.at, b.at)
        for key, hooks in said.items()
        for a, b in zip(hooks, due[key], strict=True)
        if abs(a.at - b.at) > within_s
    ]
    assert not late, "a notification came at another flush of its group"
    return len(said)
