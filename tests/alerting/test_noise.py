"""Noise: false alerts go through the same rules, groups and routes as all others, and notifications may come twice."""

from __future__ import annotations

from typing import Any

import pytest

from tests.people.small import Played, play

QUIET: dict[str, Any] = {"schedule": {"faults": ["noop service/shop at 1s for 1s"]}, "duration": "25m"}


def noise(per_day: float = 400, **more: object) -> dict[str, Any]:
    return {"monitoring": {"false_alarms": {"per_day": per_day, **more}}}


def grouping(**more: object) -> dict[str, Any]:
    return {"monitoring": {"grouping": more}}


def firings(played: Played) -> list[float]:
    return [event.t for event in played.of("alert.firing", rule="noise")]


def pages(played: Played) -> int:
    return len({event.data["page"] for event in played.of("page.sent")})


def test_a_false_alert_is_evaluated_waits_for_its_group_and_then_pages() -> None:
    played = play(QUIET, noise())
    fired, notified = firings(played)[0], played.first("alert.notified").t
    assert notified - fired == pytest.approx(10.0), "group_wait of the scenario"
    assert played.first("page.sent").t == notified
    assert played.first("alert.notified").data["rules"] == ["noise"]


def test_false_alerts_within_the_interval_of_their_group_call_nobody_again() -> None:
    bundled = play(QUIET, noise(1000), grouping(interval="20m"))
    single = play(QUIET, noise(1000), grouping(interval="1s", wait="1s"))
    assert len(firings(bundled)) == len(firings(single)) > 5
    assert len(bundled.of("alert.notified")) <= 2
    assert len(single.of("alert.notified")) > 5


def test_a_false_alert_that_flaps_fires_again_each_time() -> None:
    once, thrice = play(QUIET, noise(100, flap_every="2m")), play(QUIET, noise(100, flap_every="2m", flaps=2))
    first = firings(once)[0]
    assert firings(thrice)[:3] == [first, first + 120.0, first + 240.0]


def test_a_silence_and_a_route_hold_for_false_alerts_as_well() -> None:
    hushed = play(
        QUIET, noise(), {"monitoring": {"silences": [{"matchers": ['rule="noise"'], "at": "0s", "for": "1h", "why": "t"}]}}
    )
    assert firings(hushed)
    assert not hushed.of("page.sent")
    assert hushed.of("alert.suppressed", rule="noise", why="silence")


def test_monitoring_that_is_down_rings_no_false_alert_either() -> None:
    gone = {
        "schedule": {"faults": ["kill region/a at 1s for 30m"]},
        "monitoring": {"location": "region/a", "rules": {"errors": None}},
    }
    assert not firings(play(gone, noise(), {"duration": "25m"}))


def test_a_page_about_real_trouble_is_about_that_whatever_false_alert_rings_with_it() -> None:
    together = {"monitoring": {"rules": {"errors": {"team": None}}, "grouping": {"by": ["severity"]}}}
    alone = {"system": {"services": {"shop": {"owner": None}}}, "response": {"teams": {"shop": None}}}
    for replication in range(4):
        played = play(noise(1000), together, alone, replication=replication)
        first = next(event for event in played.of("alert.notified") if "errors" in event.data["rules"])
        assert first.subject == "class/buy"


def test_every_notification_that_comes_twice_is_two_pages_and_both_end_with_the_alert() -> None:
    one, two = play(), play({"monitoring": {"false_alarms": {"duplicates": "100%"}}})
    assert pages(two) == 2 * pages(one) > 0
