"""What the alert rules may ask of a system, simulated or real.

    value("error_ratio", "class/checkout", 300.0, now)      share of bad answers in (now - 300 s, now]
    value("queue_length", "queue/mail", 0.0, now)           at the last successful scrape
    value("instances_up", "region/eu-1", 60.0, now)         None: nothing there answered a scrape for a minute

The rule that surprises: None is an answer. It means that the monitoring knows nothing (no scrape arrived, no request came), which
is neither 0 nor an error; a rule without a value has no sample, and a pending alert without a sample starts over.

| indicator | unit | over the window | window 0 |
|---|---|---|---|
| error_ratio | 0..1 | bad / answered; None without requests | of the last scrape interval |
| latency_p50, p95, p99 | seconds | quantile of answers; None without any | of the last scrape interval |
| request_rate | 1/s | mean | of the last scrape interval |
| utilisation, queue_length, replication_lag, instances_up | 0..1, number, seconds, number | mean of the scrapes | last scrape |
| probe_success | 0..1 | share of successful probes; None without any | last probe |
| probe_failures | number | failed probes in a row up to now (the window has no meaning) | the same |

Subjects are those of the scenario (`class/`, `service/`, `database/`, `queue/`, `zone/`, `region/`, with `@<region>` to narrow);
probes are `probe/<name>` or `probe/<name>@<origin>`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gameday.alerting.alert import Sample

PROBE_FAILURES = "probe_failures"
"""The one indicator that no threshold rule may name: failed probes in a row."""


class IndicatorSource(Protocol):
    """Where indicators come from."""

    def value(self, indicator: str, subject: str, window_s: float, now: float) -> float | None:
        """The indicator of the subject over the window that ends at `now`; None = no data."""
        ...


class Sampler(Protocol):
    """The condition of one rule."""

    def samples(self, source: IndicatorSource, now: float) -> Sequence[Sample]:
        """The subjects that meet the condition at `now`; called once per evaluation, times never go back."""
        ...
