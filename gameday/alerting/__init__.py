"""Alerting as Prometheus and Alertmanager do it, told the time: rules, grouping, deduplication, silences, inhibition.

To add a kind of rule: its model in `gameday/scenario/monitoring.py`, a file here with `sampler` and `problems`, a line in each of the two
`match` statements of `pipeline.py`, in `files/expressions.py` (its PromQL) and in `minimum_delay_s` of `gameday/scores/detection.py`.
"""

from __future__ import annotations

from gameday.alerting.alert import Alert, AlertEvent, Labels, Notification, Sample, Suppression
from gameday.alerting.labels import owners
from gameday.alerting.mute import SilencePeriod
from gameday.alerting.pipeline import Alerting, problems
from gameday.alerting.source import IndicatorSource, Sampler

__all__ = [
    "Alert",
    "AlertEvent",
    "Alerting",
    "IndicatorSource",
    "Labels",
    "Notification",
    "Sample",
    "Sampler",
    "SilencePeriod",
    "Suppression",
    "owners",
    "problems",
]
