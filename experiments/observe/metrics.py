"""What the observers of a day know, as Prometheus scrapes it: requests by class as their clients met them, probes, replication lag.

Names are those of `docs/how-to/import-alerting.md`. The rule that surprises: a request counts when its client knows the outcome, so one
that is never answered shows after the client's timeout, as it does in the indicators that need no Prometheus.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from experiments.observe.indicators import LiveIndicators
from gameday.load_stream import Counts, LoadStream, bucket_upper_s

CONTENT_TYPE: Final = "text/plain; version=0.0.4"
_GAUGES: Final = {
    "probe_success": ("probe_success", "probe", "origin"),
    "replication_lag": ("gameday_replication_lag_seconds", "database", "zone"),
}
"""Reading to metric, and the labels that the parts of its subject become. Health checks are Prometheus's own `up`."""


def metrics(stream: LoadStream, indicators: LiveIndicators) -> str:
    """The text of a scrape: everything up to the last second that all generators have reported."""
    return "".join(f"{line}\n" for line in (*_requests(stream), *_readings(indicators)))


def _requests(stream: LoadStream) -> Iterator[str]:
    until = stream.complete_until
    if until is None:
        return
    flows: dict[tuple[str, str], Counts] = {}
    for t, second in stream.seconds.items():
        if t <= until:
            for flow, counts in second.items():
                flows.setdefault(flow, Counts()).add(counts)
    for (name, origin), counts in sorted(flows.items()):
        labels = f'class="{name}",origin="{origin}"'
        lost = sum(counts.lost.values())
        yield f"gameday_requests_total{{{labels}}} {counts.good + lost}"
        yield f"gameday_requests_failed_total{{{labels}}} {lost}"
        yield from _histogram(labels, counts.latency)


def _histogram(labels: str, latency: Counter[int]) -> Iterator[str]:
    seen = 0
    for bucket in sorted(latency):
        seen += latency[bucket]
        yield f'gameday_request_duration_seconds_bucket{{{labels},le="{bucket_upper_s(bucket):.6g}"}} {seen}'
    yield f'gameday_request_duration_seconds_bucket{{{labels},le="+Inf"}} {seen}'


def _readings(indicators: LiveIndicators) -> Iterator[str]:
    for (indicator, subject), value in sorted(indicators.newest().items()):
        if indicator in _GAUGES:
            metric, kind, place = _GAUGES[indicator]
            name, _, where = subject.partition("/")[2].partition("@")
            yield f'{metric}{{{kind}="{name}"' + (f',{place}="{where}"' if where else "") + f"}} {value:g}"
