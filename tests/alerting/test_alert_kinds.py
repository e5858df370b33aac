"""One kind of rule after the other: when its condition has a sample, and which rules are refused."""

from __future__ import annotations

import pytest

from gameday.alerting import absence, backlog, burn_rate, probe, problems, threshold
from gameday.alerting.labels import alert_labels, owners
from gameday.scenario.monitoring import (
    AbsenceRule,
    BacklogRule,
    BurnRateRule,
    HeartbeatRule,
    Monitoring,
    Probe,
    ProbeRule,
    ThresholdRule,
)
from gameday.scenario.system import System


class Table:
    """A source that answers from a table of (indicator, subject, window), and None for the rest."""

    def __init__(self, values: dict[tuple[str, str, float], float]) -> None:
        self.values = values

    def value(self, indicator: str, subject: str, window_s: float, now: float) -> float | None:
        del now
        return self.values.get((indicator, subject, window_s))


class Gauge:
    """A source with one value that the test sets."""

    def __init__(self) -> None:
        self.now_value: float | None = None

    def value(self, indicator: str, subject: str, window_s: float, now: float) -> float | None:
        del indicator, subject, window_s, now
        return self.now_value


def messages(**rules: object) -> list[str]:
    return [str(problem) for problem in problems(Monitoring.model_validate({"rules": rules}))]


def test_a_threshold_fires_above_its_limit_and_not_at_it() -> None:
    rule = ThresholdRule(kind="threshold", on="class/buy", indicator="error_ratio", above="5%", window=60)
    condition = threshold.sampler(rule)
    source = Table({("error_ratio", "class/buy", 60.0): 0.05})
    assert condition.samples(source, 0) == ()
    source.values["error_ratio", "class/buy", 60.0] = 0.0501
    assert [sample.value for sample in condition.samples(source, 0)] == [0.0501]


def test_a_threshold_without_data_has_no_sample() -> None:
    rule = ThresholdRule(kind="threshold", on="class/buy", indicator="request_rate", below="10/s")
    assert threshold.sampler(rule).samples(Table({}), 0) == ()


def test_a_threshold_with_both_limits_fires_outside_the_band() -> None:
    rule = ThresholdRule(kind="threshold", on="queue/mail", indicator="queue_length", above="100", below="1", window=0)
    condition = threshold.sampler(rule)
    fired = [value for value in (0, 1, 50, 100, 101) if condition.samples(Table({("queue_length", "queue/mail", 0.0): value}), 0)]
    assert fired == [0, 101]


@pytest.mark.parametrize(
    ("indicator", "written", "number"),
    [
        ("latency_p99", "800ms", 0.8),
        ("replication_lag", "2m", 120.0),
        ("request_rate", "120/m", 2.0),
        ("utilisation", "85%", 0.85),
        ("queue_length", "500", 500.0),
        ("instances_up", 3, 3.0),
    ],
)
def test_a_limit_is_read_in_the_unit_of_its_indicator(indicator: str, written: str | float, number: float) -> None:
    assert threshold.limit(indicator, written) == pytest.approx(number)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"indicator": "error_ratio"}, "needs 'above' or 'below'"),
        ({"indicator": "error_ratio", "above": "100%"}, "can never fire"),
        ({"indicator": "instances_up", "below": 0}, "can never fire"),
        ({"indicator": "latency_p99", "above": 0.8}, "needs a unit"),
        ({"indicator": "latency_p99", "above": "800"}, "needs a unit"),
        ({"indicator": "queue_length", "above": "many"}, "is not a number"),
    ],
)
def test_a_threshold_that_cannot_work_is_refused(rule: dict[str, object], words: str) -> None:
    (found,) = messages(slow={"kind": "threshold", "on": "service/shop", **rule})
    assert "monitoring.rules.slow" in found
    assert words in found


def burn(long: float | None, short: float | None) -> int:
    rule = BurnRateRule(kind="burn_rate", on="class/buy", objective=0.999, burn=14.4, long=3600, short=300)
    known = {3600.0: long, 300.0: short}
    values = {("error_ratio", "class/buy", window): value for window, value in known.items() if value is not None}
    return len(burn_rate.sampler(rule).samples(Table(values), 0))


def test_a_burn_rate_needs_both_windows_beyond_the_limit() -> None:
    assert burn(0.02, 0.02) == 1
    assert burn(0.02, 0.01) == 0
    assert burn(0.01, 0.02) == 0


def test_a_burn_rate_without_data_in_one_window_has_no_sample() -> None:
    assert burn(0.02, None) == 0
    assert burn(None, 0.02) == 0


def test_a_total_outage_burns_two_percent_of_the_budget_in_52_seconds() -> None:
    assert burn_rate.time_to_detect_s(3600, 14.4, 0.999, 1.0) == pytest.approx(51.84)


def test_errors_below_the_burn_rate_are_never_detected() -> None:
    assert burn_rate.time_to_detect_s(3600, 14.4, 0.999, 0.0144) is None


@pytest.mark.parametrize(("objective", "refused"), [("93.05%", True), ("93.06%", False), ("99.9%", False), ("90%", True)])
def test_a_burn_rate_that_even_a_total_outage_does_not_reach_is_refused(objective: str, refused: bool) -> None:
    found = messages(burn={"kind": "burn_rate", "on": "class/buy", "objective": objective, "burn": 14.4})
    assert [message for message in found if "can never fire" in message] == found
    assert bool(found) == refused


def test_a_short_window_longer_than_the_long_one_is_refused() -> None:
    (found,) = messages(burn={"kind": "burn_rate", "on": "class/buy", "objective": "99.9%", "long": "5m", "short": "1h"})
    assert "monitoring.rules.burn.short" in found


def test_a_probe_without_origin_makes_one_alert_per_origin() -> None:
    probes = {"buy": Probe.model_validate({"class": "checkout"})}
    condition = probe.sampler(ProbeRule(kind="probe", probe="buy", failures=2), probes, ["home", "abroad"])
    source = Table({("probe_failures", "probe/buy@home", 0.0): 2, ("probe_failures", "probe/buy@abroad", 0.0): 1})
    assert [sample.subject for sample in condition.samples(source, 0)] == ["class/checkout@home"]


def test_a_probe_with_an_origin_looks_from_there_only() -> None:
    probes = {"buy": Probe.model_validate({"class": "checkout", "origin": "abroad"})}
    condition = probe.sampler(ProbeRule(kind="probe", probe="buy"), probes, ["home", "abroad"])
    source = Table({("probe_failures", "probe/buy@home", 0.0): 9, ("probe_failures", "probe/buy@abroad", 0.0): 9})
    assert [sample.subject for sample in condition.samples(source, 0)] == ["class/checkout@abroad"]


def test_a_rule_about_an_unknown_probe_is_refused_with_the_nearest_name() -> None:
    monitoring = Monitoring.model_validate(
        {"probes": {"checkout": {"class": "buy"}}, "rules": {"down": {"kind": "probe", "probe": "chekout"}}}
    )
    (found,) = problems(monitoring)
    assert found.suggestion == "checkout"


def test_absence_fires_when_nothing_answered_for_the_window() -> None:
    condition = absence.sampler(AbsenceRule(kind="absence", on="region/eu-1", window=60))
    source = Gauge()
    fired = []
    for now in range(0, 135, 15):
        source.now_value = 4.0 if now < 60 else None
        fired += [now] * len(condition.samples(source, now))
    assert fired == [60, 75, 90, 105, 120]


def test_absence_counts_targets_that_all_failed_as_absent() -> None:
    condition = absence.sampler(AbsenceRule(kind="absence", on="service/shop", window=0))
    source = Gauge()
    source.now_value = 0.0
    assert len(condition.samples(source, 0)) == 1


def test_absence_does_not_fire_before_it_has_watched_for_a_window() -> None:
    condition = absence.sampler(AbsenceRule(kind="absence", on="region/eu-1", window=60))
    assert [len(condition.samples(Gauge(), now)) for now in (100, 130, 159, 160)] == [0, 0, 0, 1]


def backlog_fires(lengths: list[float | None], window: float = 60) -> list[int]:
    condition = backlog.sampler(BacklogRule(kind="backlog", on="queue/mail", above=100, window=window))
    source = Gauge()
    fired = []
    for index, length in enumerate(lengths):
        source.now_value = length
        fired += [index * 30] * len(condition.samples(source, index * 30))
    return fired


def test_a_long_backlog_that_grew_over_the_window_fires() -> None:
    assert backlog_fires([50, 90, 150, 210]) == [60, 90]


def test_a_long_backlog_that_shrinks_or_stands_still_does_not_fire() -> None:
    assert backlog_fires([900, 800, 700, 700, 700, 700]) == []


def test_a_backlog_waits_until_it_has_a_measurement_of_a_window_ago() -> None:
    assert backlog_fires([200, 300, 400]) == [60]


def test_a_backlog_that_cannot_be_measured_has_no_sample_and_keeps_its_history() -> None:
    assert backlog_fires([50, 150, None, 200]) == [90]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"kind": "absence", "on": "region/eu-1", "window": "10s"}, "fire all the time"),
        ({"kind": "backlog", "on": "queue/mail", "above": 10, "window": 0}, "can never fire"),
        ({"kind": "heartbeat", "interval": "15s"}, "longer than the time between evaluations"),
    ],
)
def test_a_rule_that_always_or_never_fires_is_refused(rule: dict[str, object], words: str) -> None:
    (found,) = messages(odd=rule)
    assert words in found


def test_a_heartbeat_rule_longer_than_the_evaluation_is_accepted() -> None:
    assert problems(Monitoring(rules={"dead": HeartbeatRule(kind="heartbeat", interval=16)})) == []


def test_labels_say_component_region_and_the_owner_as_team() -> None:
    labels = alert_labels("slow", "page", None, "service/shop@eu-1", owners={"service/shop": "shop"})
    assert dict(labels) == {
        "rule": "slow",
        "severity": "page",
        "team": "shop",
        "component": "service/shop",
        "region": "eu-1",
    }


def test_the_team_of_a_rule_goes_before_the_owner() -> None:
    labels = alert_labels("slow", "page", "sre", "service/shop", owners={"service/shop": "shop"})
    assert dict(labels)["team"] == "sre"


def test_a_region_is_its_own_region_label() -> None:
    assert dict(alert_labels("gone", "page", None, "region/eu-1", owners={}))["region"] == "eu-1"


def test_a_queue_belongs_to_the_owner_of_the_service_that_works_on_it() -> None:
    system = System.model_validate(
        {
            "regions": {"eu": {"zones": ["a"]}},
            "services": {
                "mailer": {"owner": "crm", "instances": 1, "slots": 1, "service_time": "1ms"},
                "shop": {"instances": 1, "slots": 1, "service_time": "1ms"},
            },
            "databases": {"orders": {"owner": "data", "primary": "a", "slots": 1, "service_time": "1ms"}},
            "queues": {"mail": {"consumer": "mailer"}},
        }
    )
    assert owners(system) == {"service/mailer": "crm", "database/orders": "data", "queue/mail": "crm"}
