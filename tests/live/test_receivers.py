"""Real clients can page and post: PagerDuty Events v2, Slack webhooks, Alertmanager's webhook; nobody without the token."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_lab import write_scenario

from experiments.calls import CallError, call
from experiments.clock import RunClock
from experiments.observe.alert_book import AlertBook
from experiments.observe.notebook import Notebook
from experiments.observe.pages import Pages
from experiments.observe.receivers import FILE, Receivers
from experiments.taking_part import Address, post, receivers_of
from gameday.errors import BadInput, GamedayError
from gameday.scenario import read_scenario
from gameday.timeline import Event
from gameday.timeline_files import read_timeline

TOKEN = "the-token-of-this-run"


class Desk:
    """A run's receivers and what they have written down."""

    def __init__(self, folder: Path) -> None:
        self.live = folder / "live"
        self.live.mkdir()
        scenario = read_scenario(write_scenario(folder))
        self.notebook = Notebook(self.live, "observer", RunClock.starting_in(0.0))
        self.pages = Pages(scenario, self.notebook)
        book = AlertBook(scenario, self.notebook)
        self.url = Receivers(scenario, self.notebook, self.pages, TOKEN, book, lambda: "up 1\n").start(self.live)

    def events(self, kind: str) -> list[Event]:
        return list(read_timeline(self.live / "observer.jsonl").of(kind))

    def pagerduty(self, action: str, key: str = "k", routing_key: str = TOKEN, **payload: Any) -> Any:
        body = {"routing_key": routing_key, "event_action": action, "dedup_key": key, "payload": payload}
        return call("POST", f"{self.url}/v2/enqueue", body)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.notebook.close()


def test_a_pagerduty_client_pages_a_team_and_takes_the_page(desk: Desk) -> None:
    answer = desk.pagerduty("trigger", summary="checkout is down", source="service/shop", severity="critical", group="shop")
    assert answer == {"status": "success", "message": "Event processed", "dedup_key": "k"}
    desk.pagerduty("trigger", summary="checkout is down", source="service/shop", severity="critical", group="shop")
    assert [event.data["person"] for event in desk.events("page.sent")] == ["kim"]
    desk.pagerduty("acknowledge")
    (taken,) = desk.events("page.acknowledged")
    assert (taken.source, taken.data["person"]) == ("human", "kim")
    desk.pagerduty("resolve")
    desk.pagerduty("trigger", summary="again", source="service/shop", group="shop")
    assert len(desk.events("page.sent")) == 2


@pytest.mark.parametrize(
    ("changes", "status"), [({"routing_key": "wrong"}, 403), ({"action": "explode"}, 400), ({"action": "trigger"}, 400)]
)
def test_what_pagerduty_refuses_is_refused(desk: Desk, changes: dict[str, str], status: int) -> None:
    with pytest.raises(CallError) as caught:
        desk.pagerduty(**{"action": "acknowledge", **changes})
    assert caught.value.status == status
    assert desk.events("page.sent") == []


def test_a_slack_client_posts_a_message(desk: Desk) -> None:
    assert call("POST", f"{desk.url}/slack/{TOKEN}", {"text": "we are on it", "username": "kim"}) == "ok"
    (message,) = desk.events("message.published")
    assert (message.source, message.data["text"], message.data["author"]) == ("human", "we are on it", "kim")
    for path, body, status in (("slack/wrong", {"text": "x"}, 404), (f"slack/{TOKEN}", {"blocks": []}, 400)):
        with pytest.raises(CallError) as caught:
            call("POST", f"{desk.url}/{path}", body)
        assert caught.value.status == status


def test_alertmanagers_webhook_becomes_alerts_a_notification_and_a_page(desk: Desk) -> None:
    alert = {
        "status": "firing",
        "labels": {"rule": "checkout-probe", "severity": "page", "component": "class/checkout"},
        "startsAt": "2020-01-01T00:00:00Z",
    }
    body = {
        "version": "4",
        "groupKey": "g",
        "status": "firing",
        "receiver": "page",
        "groupLabels": {"team": "shop"},
        "alerts": [alert],
    }
    call("POST", f"{desk.url}/alertmanager/{TOKEN}", body)
    call("POST", f"{desk.url}/alertmanager/{TOKEN}", body)  # it repeats what goes on
    (firing,) = desk.events("alert.firing")
    assert (firing.subject, firing.data["rule"]) == ("class/checkout", "checkout-probe")
    assert desk.events("alert.notified")[0].data["rules"] == ["checkout-probe"]
    (page,) = desk.events("page.sent")
    assert {one.data["evaluator"] for one in (firing, page, *desk.events("alert.notified"))} == {"alertmanager"}
    over = {**body, "status": "resolved", "alerts": [{**alert, "status": "resolved", "endsAt": "2020-01-01T00:01:00Z"}]}
    call("POST", f"{desk.url}/alertmanager/{TOKEN}", over)
    assert [event.data["rule"] for event in desk.events("alert.resolved")] == ["checkout-probe"]
    call("POST", f"{desk.url}/alertmanager/{TOKEN}", body)  # late, about an alert that is over
    assert len(desk.events("alert.firing")) == 1


def test_prometheus_scrapes_only_with_the_token(desk: Desk) -> None:
    assert call("GET", f"{desk.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}) == "up 1\n"
    for path, token, status in (("metrics", "guessed", 403), ("alertmanager", TOKEN, 404)):
        with pytest.raises(CallError) as caught:
            call("GET", f"{desk.url}/{path}", headers={"Authorization": f"Bearer {token}"})
        assert caught.value.status == status


def test_gameday_ack_and_say_reach_the_day_and_say_why_they_could_not(desk: Desk, tmp_path: Path) -> None:
    address = receivers_of(tmp_path)
    assert address == Address(desk.url, TOKEN)
    assert (desk.live / FILE).stat().st_mode & 0o077 == 0
    with pytest.raises(GamedayError, match="no open page"):
        post(address, "ack", {"person": "kim"})
    desk.pages.page("g", "shop", ["checkout-probe"], "class/checkout")
    assert post(address, "ack", {"person": "kim"}) == {"page": "page/1"}
    with pytest.raises(GamedayError, match="not in the cast"):
        post(address, "ack", {"person": "nobody"})
    post(address, "say", {"text": "all clear", "person": "kim"})
    assert desk.events("message.published")[0].data["text"] == "all clear"
    with pytest.raises(GamedayError, match="is over"):
        post(Address("http://127.0.0.1:9", TOKEN), "say", {"text": "x"})
    with pytest.raises(BadInput):
        receivers_of(tmp_path / "nowhere")
    assert TOKEN not in json.dumps([event.line() for event in read_timeline(desk.live / "observer.jsonl")])
