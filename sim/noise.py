"""False alarms: a rule that fires without a reason, and goes through evaluation, grouping and routing like any other.

The rule that surprises: the noise begins by itself, whatever the rules of the scenario are, but who hears of it, and when, is decided by the
same Alertmanager as everything else: a false alert within the interval of a group that has been notified calls nobody again.
"""

from __future__ import annotations

from collections.abc import Sequence

from gameday.alerting.alert import Labels, Sample, labels_of
from gameday.alerting.rules import RuleMachine
from gameday.alerting.source import IndicatorSource
from sim.processes import Process
from sim.world import World

NOISE = "noise"
"""Rule that false alarms are about: none of the scenario's."""


class FalseAlarms:
    """The condition of the rule: numbers of the false alerts that ring now."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._settings = world.scenario.monitoring.false_alarms
        self._ringing: dict[str, None] = {}

    def machine(self) -> RuleMachine:
        """The rule, as the monitoring evaluates it; each false alert is one of its own."""
        return RuleMachine(NOISE, "page", _labels, evaluation_s=self._world.scenario.monitoring.evaluation)

    def samples(self, source: IndicatorSource, now: float) -> Sequence[Sample]:
        """What rings without a reason."""
        del source, now
        return [Sample(subject, 1.0) for subject in self._ringing]

    def come(self) -> Process:
        """False alerts, as often as the scenario says, by a stream of their own."""
        draws, count = self._world.streams.draws("false alarms"), 0
        while True:
            yield self._world.env.timeout(draws.exponential() * 86_400.0 / self._settings.per_day)
            count += 1
            self._world.env.process(self._ring(f"rule/{NOISE}/{count}"))

    def _ring(self, subject: str) -> Process:
        """Rings for half of `flap_every`, and where it flaps, so many times again."""
        for _ in range(self._settings.flaps + 1):
            self._ringing[subject] = None
            yield self._world.env.timeout(self._settings.flap_every / 2)
            del self._ringing[subject]
            yield self._world.env.timeout(self._settings.flap_every / 2)


def _labels(subject: str) -> Labels:
    return labels_of({"rule": NOISE, "severity": "page", "number": subject.rpartition("/")[2]})
