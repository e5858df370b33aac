"""Acceptance: a scripted system in, notifications at stated times out. Times are At (exact) and Between (inclusive)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from gameday.alerting import AlertEvent, Alerting, Notification, SilencePeriod
from gameday.alerting.heartbeat import Watchdog
from gameday.alerting.matchers import parse_matchers
from gameday.errors import BadInput
from gameday.scenario.monitoring import HeartbeatRule, Monitoring


@dataclass(frozen=True)
class At:
    """Exactly then."""

    time_s: float

    def holds(self, time_s: float) -> bool:
        return abs(time_s - self.time_s) < 1e-6


@dataclass(frozen=True)
class Between:
    """Not before, not after."""

    from_s: float
    to_s: float

    def holds(self, time_s: float) -> bool:
        return self.from_s <= time_s <= self.to_s


class Script:
    """A system whose indicators are constant on stretches of time: `source.during(60, 120, "error_ratio", "class/buy", 0.5)`."""

    def __init__(self) -> None:
        self.stretches: list[tuple[float, float, str, str, float | None]] = []

    def during(self, start: float, end: float, indicator: str, subject: str, value: float | None) -> Script:
        self.stretches.append((start, end, indicator, subject, value))
        return self

    def value(self, indicator: str, subject: str, window_s: float, now: float) -> float | None:
        del window_s
        for start, end, name, what, value in reversed(self.stretches):
            if (name, what) == (indicator, subject) and start <= now < end:
                return value
        return None


@dataclass
class Played:
    """What came out."""

    events: list[AlertEvent]
    notified: list[Notification]

    def want(self, *expected: tuple[At | Between, str, str]) -> None:
        """Exactly these notifications in this order: when, reason, names of the rules."""
        found = [(n.at, n.reason, " ".join(n.rules)) for n in self.notified]
        assert len(found) == len(expected), found
        for (time_s, reason, names), (when, wanted_reason, wanted_names) in zip(found, expected, strict=True):
            assert when.holds(time_s), (time_s, when)
            assert (reason, names) == (wanted_reason, wanted_names)


def play(
    alerting: Alerting, source: Script, until: float, *, down: tuple[float, float] | None = None, isolated: Any = None
) -> Played:
    """Drive it as a simulation would: sleep until it wants to be asked."""
    played = Played([], [])
    now = 0.0
    switches = [(down[0], alerting.stop), (down[1], lambda: alerting.restart(now))] if down else []
    while True:
        asked = alerting.next_at()
        if switches and (asked is None or switches[0][0] <= asked):
            now, switch = switches.pop(0)
            switch()
            continue
        if asked is None or asked > until:
            return played
        # What simpy does to a time: adding the difference may miss it by a rounding error.
        now += asked - now
        cut_off = bool(isolated and isolated[0] <= now < isolated[1])
        played.events += alerting.evaluate(now, source, isolated=cut_off)
        played.notified += alerting.notifications(now, isolated=cut_off)


def monitoring(**changes: Any) -> Monitoring:
    rules = {"errors": {"kind": "threshold", "on": "class/buy", "indicator": "error_ratio", "above": "5%", "for": "1m"}}
    return Monitoring.model_validate({"rules": rules, **changes})


def outage(start: float, end: float, *, ratio: float = 0.5) -> Script:
    return Script().during(0, 1e9, "error_ratio", "class/buy", 0.0).during(start, end, "error_ratio", "class/buy", ratio)


def test_an_outage_is_notified_after_evaluation_for_and_group_wait() -> None:
    # Seen at 105, fires at 165, notified at 195; over at 400, seen at 405, told at the flush of 495.
    played = play(Alerting(monitoring()), outage(100, 400), 3600)
    played.want((At(195), "first_notification", "errors"), (At(495), "all_resolved", "errors"))
    assert [(e.at, e.transition) for e in played.events] == [(105, "pending"), (165, "firing"), (405, "resolved")]


@pytest.mark.parametrize("phase", [0.0, 0.1, 3.7, 14.999])
def test_the_delay_is_within_the_bounds_of_the_configuration_whatever_the_phase(phase: float) -> None:
    played = play(Alerting(monitoring(), first_evaluation_s=phase), outage(100, 1000), 900)
    shortest, longest = 60 + 30, 15 + 60 + 30
    played.want((Between(100 + shortest, 100 + longest), "first_notification", "errors"))


def test_an_outage_shorter_than_for_is_never_notified() -> None:
    played = play(Alerting(monitoring()), outage(100, 160), 3600)
    played.want()
    assert [e.transition for e in played.events] == ["pending"]


def test_a_call_between_two_evaluations_evaluates_nothing() -> None:
    rules = {"errors": {"kind": "threshold", "on": "class/buy", "indicator": "error_ratio", "above": "5%", "for": "7s"}}
    alerting, source = Alerting(monitoring(rules=rules)), outage(0, 1e9)
    told = {now: [e.transition for e in alerting.evaluate(now, source)] for now in (0, 7.5, 14.9, 15)}
    assert told == {0: ["pending"], 7.5: [], 14.9: [], 15: ["firing"]}


def test_evaluations_that_were_missed_are_skipped_and_the_grid_is_kept() -> None:
    alerting, source = Alerting(monitoring()), outage(0, 1e9)
    alerting.evaluate(0, source)
    assert [(e.at, e.transition) for e in alerting.evaluate(100, source)] == [(100, "firing")]
    assert alerting.next_at() == 105


def test_a_silence_of_the_scenario_holds_back_and_the_record_says_why() -> None:
    silences = [{"rule": "errors", "at": "2m", "for": "10m", "why": "database upgrade"}]
    alerting = Alerting(monitoring(silences=silences))
    played = play(alerting, outage(100, 2000), 1500)
    played.want((At(795), "first_notification", "errors"))
    assert [(s.at, s.why, s.by) for s in alerting.suppressions()] == [(195, "silence", "database upgrade")]


def test_a_silence_can_be_set_during_the_run() -> None:
    alerting = Alerting(monitoring())
    alerting.silence(SilencePeriod(parse_matchers('component="class/buy"'), 0, 1e9, "maintenance"))
    play(alerting, outage(100, 2000), 1500).want()


def test_an_inhibition_of_the_scenario_keeps_the_symptom_quiet_while_the_cause_fires() -> None:
    rules = {
        "region": {"kind": "absence", "on": "region/eu-1", "window": "30s"},
        "errors": {"kind": "threshold", "on": "class/buy", "indicator": "error_ratio", "above": "5%"},
    }
    alerting = Alerting(monitoring(rules=rules, inhibitions=[{"source": "region", "target": "errors"}]))
    source = outage(100, 700).during(0, 1e9, "instances_up", "region/eu-1", 9.0)
    source.during(100, 700, "instances_up", "region/eu-1", None)
    # Over for both at 705. As in Alertmanager, the recovery then lists the symptom too: nothing inhibits it any more.
    played = play(alerting, source, 3600)
    played.want((At(135), "first_notification", "region"), (At(735), "all_resolved", "errors region"))
    assert [alert.rule for note in played.notified for alert in note.firing] == ["region"]
    assert [(s.why, s.by) for s in alerting.suppressions()] == [("inhibition", "region")]


def test_tickets_wait_for_office_hours_and_pages_do_not() -> None:
    rules = {
        name: {"kind": "threshold", "on": "class/buy", "indicator": "error_ratio", "above": "5%", "severity": name}
        for name in ("page", "ticket")
    }
    alerting = Alerting(monitoring(rules=rules), starts=datetime(2026, 3, 2, 8, 50, tzinfo=UTC))
    played = play(alerting, outage(0, 1e9), 1200)
    played.want((At(30), "first_notification", "page"), (At(630), "first_notification", "ticket"))
    assert [s.why for s in alerting.suppressions()] == ["active_time_interval"]


def test_the_owner_of_a_component_is_the_team_that_is_notified() -> None:
    rules = {"slow": {"kind": "threshold", "on": "service/shop@eu-1", "indicator": "utilisation", "above": "90%"}}
    alerting = Alerting(monitoring(rules=rules), owners={"service/shop": "shop"})
    source = Script().during(0, 1e9, "utilisation", "service/shop@eu-1", 0.95)
    (notified,) = play(alerting, source, 60).notified
    assert notified.team == "shop"
    assert dict(notified.group) == {"team": "shop", "severity": "page"}


def test_a_burn_rate_page_ends_with_the_short_window_not_with_the_long_one() -> None:
    class Windows:
        """Total outage in [600, 900): the ratio of a window is the part of it that was bad."""

        def value(self, indicator: str, subject: str, window_s: float, now: float) -> float | None:
            del indicator, subject
            return max(0.0, min(now, 900) - max(now - window_s, 600)) / window_s

    rules = {"burn": {"kind": "burn_rate", "on": "class/buy", "objective": "99.9%", "long": "1h", "short": "5m"}}
    alerting = Alerting(monitoring(rules=rules))
    events = []
    while (now := alerting.next_at() or 0.0) <= 5000:
        events += alerting.evaluate(now, Windows())
        alerting.notifications(now)
    fired, resolved = events
    assert Between(600 + 51.8, 600 + 51.8 + 15).holds(fired.at)
    assert Between(900 + 300 - 5, 900 + 300 + 15).holds(resolved.at)


HEARTBEAT = {"dead": {"kind": "heartbeat", "interval": "60s"}}


def test_the_watchdog_pages_when_the_monitoring_is_down_and_resolves_when_it_is_back() -> None:
    alerting = Alerting(monitoring(rules=HEARTBEAT))
    played = play(alerting, Script(), 1000, down=(100, 500))
    # Last beat at 90, so the watchdog pages at 150; the first evaluation after 500 is at 510.
    played.want((At(150), "watchdog", "dead"), (At(510), "watchdog", "dead"))
    assert [(e.at, e.transition) for e in played.events] == [(150, "firing"), (510, "resolved")]


def test_the_watchdog_pages_when_the_monitoring_is_cut_off_although_it_works() -> None:
    played = play(Alerting(monitoring(rules=HEARTBEAT)), Script(), 600, isolated=(100, 300))
    played.want((At(150), "watchdog", "dead"), (At(300), "watchdog", "dead"))


def test_the_watchdog_is_quiet_while_beats_come() -> None:
    play(Alerting(monitoring(rules=HEARTBEAT)), Script(), 3600).want()


def test_the_watchdog_honours_for_and_keep_firing_for() -> None:
    rules = {"dead": {"kind": "heartbeat", "interval": "60s", "for": "30s", "keep_firing_for": "40s"}}
    played = play(Alerting(monitoring(rules=rules)), Script(), 1000, down=(100, 500))
    assert [(e.at, e.transition) for e in played.events] == [(150, "pending"), (180, "firing"), (550, "resolved")]


def test_a_beat_that_is_followed_by_silence_is_no_recovery() -> None:
    rule = HeartbeatRule(kind="heartbeat", interval=60, keep_firing_for=100)
    watchdog = Watchdog("dead", rule, ())
    changes = []
    for now in (60, 70, 130, 140, 170, 200, 230, 240):
        if now in {70, 140, 170, 200, 230}:
            watchdog.beat(now)
        changes += [(e.at, e.transition) for e in watchdog.check(now)]
    # Silent from 60, a single beat at 70, silent again from 130, beats from 140 on.
    assert changes == [(60, "firing"), (240, "resolved")]


def test_a_monitoring_that_is_down_notices_nothing_and_needs_its_for_again() -> None:
    played = play(Alerting(monitoring()), outage(100, 1000), 900, down=(140, 500))
    # Pending at 105, down at 140, evaluates again at 510, fires at 570.
    played.want((At(600), "first_notification", "errors"))


def test_while_cut_off_nothing_is_notified_and_it_is_caught_up_at_the_next_flush() -> None:
    played = play(Alerting(monitoring()), outage(100, 2000), 1000, isolated=(150, 250))
    played.want((At(495), "first_notification", "errors"))


def test_rules_that_cannot_work_are_refused_all_at_once() -> None:
    rules = {
        "never": {"kind": "threshold", "on": "class/buy", "indicator": "error_ratio", "above": 1.0},
        "unknown": {"kind": "probe", "probe": "nothing"},
    }
    with pytest.raises(BadInput) as refused:
        Alerting(monitoring(rules=rules))
    assert [problem.field for problem in refused.value.problems] == [
        "monitoring.rules.never.above",
        "monitoring.rules.unknown.probe",
    ]
