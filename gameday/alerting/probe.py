"""`kind: probe`: a synthetic transaction that failed so many times in a row. One alert per origin the probe comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gameday.alerting.alert import Sample
from gameday.alerting.source import PROBE_FAILURES, IndicatorSource
from gameday.errors import Problem, nearest

if TYPE_CHECKING:
    from gameday.scenario.monitoring import Probe, ProbeRule


@dataclass(frozen=True, slots=True)
class ProbeFailures:
    """The condition of a probe rule."""

    probe: str
    request_class: str
    origins: tuple[str, ...]
    """Where it comes from; none = from one place without a name."""
    failures: int

    def samples(self, source: IndicatorSource, now: float) -> Sequence[Sample]:
        """The request class as seen from every origin whose last probes failed."""
        found = []
        for place in [f"@{origin}" for origin in self.origins] or [""]:
            in_a_row = source.value(PROBE_FAILURES, f"probe/{self.probe}{place}", 0.0, now)
            if in_a_row is not None and in_a_row >= self.failures:
                found.append(Sample(f"class/{self.request_class}{place}", in_a_row))
        return found


def sampler(rule: ProbeRule, probes: Mapping[str, Probe], origins: Sequence[str]) -> ProbeFailures:
    """The condition of a rule; a probe without an origin of its own comes from all `origins`."""
    probe = probes[rule.probe]
    return ProbeFailures(rule.probe, probe.request_class, (probe.origin,) if probe.origin else tuple(origins), rule.failures)


def problems(name: str, rule: ProbeRule, probes: Mapping[str, Probe]) -> list[Problem]:
    """What is wrong with a rule: it names a probe that does not exist."""
    if rule.probe in probes:
        return []
    field = f"monitoring.rules.{name}.probe"
    return [Problem(None, None, None, field, rule.probe, "is not one of monitoring.probes", nearest(rule.probe, probes))]
