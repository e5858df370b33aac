"""Noise: false alerts that flap, and notifications that come twice, as the pager gets them."""

from __future__ import annotations

from tests.people.small import play

QUIET = {"schedule": {"faults": ["noop service/shop at 1s for 1s"]}, "duration": "15m"}


def noise(**more: object) -> dict[str, object]:
    return {"monitoring": {"false_alarms": {"per_day": 400, **more}}}


def test_a_false_alert_that_flaps_pages_again_each_time_it_fires() -> None:
    once, twice = play(QUIET, noise()), play(QUIET, noise(flaps=1, flap_every="30s"))
    alerts = [event.t for event in once.of("alert.notified")]
    again = [t + 30.0 for t in alerts if t + 30.0 < once.scenario.duration]
    assert alerts, "there is noise on this day"
    assert sorted(round(event.t, 3) for event in twice.of("alert.notified")) == sorted(round(t, 3) for t in [*alerts, *again])
    pages = {event.data["page"] for event in twice.of("page.sent")}
    assert len(pages) == len(alerts) + len(again), "a page that was resolved in between is another page"


def test_every_notification_that_comes_twice_is_two_pages_and_both_end_with_the_alert() -> None:
    one, two = play(), play({"monitoring": {"false_alarms": {"duplicates": "100%"}}})
    pages = [len({event.data["page"] for event in day.of("page.sent")}) for day in (one, two)]
    assert pages[1] == 2 * pages[0] > 0
