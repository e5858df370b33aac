"""The same seed gives the same day to the byte, and what is added to a scenario moves nobody else's numbers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.people.small import Played, play

BUSY: dict[str, Any] = {
    "response": {"timing": {"notice": {"sigma": 0.9}, "wrong_turn": 0.4, "miss": 0.2}},
    "monitoring": {"false_alarms": {"per_day": 100}, "customer_reports": {"enabled": True, "affected_requests": 100}},
}


def told(played: Played, *kinds: str) -> list[tuple[float, str, dict[str, Any]]]:
    return [(event.t, event.subject, dict(event.data)) for event in played.of(*kinds)]


def test_the_same_seed_gives_the_same_day_and_another_replication_another() -> None:
    one, same, other = play(BUSY), play(BUSY), play(BUSY, replication=1)
    assert one.timeline.digest() == same.timeline.digest()
    assert one.timeline.digest() != other.timeline.digest()


@pytest.mark.parametrize(
    "more",
    [
        {"response": {"people": {"aaron": {}}}},
        {"response": {"people": {"zoe": {"knows": ["shop"]}}, "teams": {"other": {"members": ["zoe"]}}}},
        {"monitoring": {"rules": {"never": {"kind": "absence", "on": "region/b", "window": "10m"}}}},
        {"monitoring": {"probes": {"p": {"class": "buy", "interval": "30s", "timeout": "2s"}}}},
        {"response": {"runbooks": {"kill": {"action": "failover"}}}},
        {"monitoring": {"silences": [{"rule": "errors", "at": "18m", "for": "1m", "why": "t"}]}},
    ],
    ids=["a person before all", "a person after all", "a rule", "a probe", "a runbook", "a silence"],
)
def test_what_is_added_and_not_used_changes_nothing(more: dict[str, Any]) -> None:
    kinds = (
        "page.sent",
        "page.acknowledged",
        "page.missed",
        "responder.engaged",
        "diagnosis.concluded",
        "action.succeeded",
        "message.published",
        "inquiry.received",
        "incident.resolved",
    )
    before, after = play(BUSY), play(BUSY, more)
    assert told(before, *kinds) == told(after, *kinds)
    assert before.of("page.acknowledged")


def test_one_more_approval_moves_no_acknowledgement_and_no_diagnosis() -> None:
    more = {"communication": {"audiences": {"customers": {"approvals": ["legal", "incident_commander"]}}}}
    before, after = play(BUSY), play(BUSY, more)
    for kind in ("page.acknowledged", "diagnosis.concluded"):
        assert told(before, kind)[:1] == told(after, kind)[:1]


def test_the_noise_is_the_same_whatever_the_rules_are() -> None:
    other_rules = {"monitoring": {"rules": {"errors": {"window": "2m", "for": "1m"}}}}
    noise = [
        [event.t for event in played.of("alert.notified") if event.data["rules"] == ["noise"]]
        for played in (play(BUSY), play(BUSY, other_rules))
    ]
    assert noise[0] == noise[1]
    assert noise[0]


def test_customers_call_alike_whatever_the_team_is() -> None:
    slow = {"response": {"timing": {"engage": {"median": 200}}}}
    early = [[event.t for event in played.of("inquiry.received") if event.t < 400.0] for played in (play(BUSY), play(BUSY, slow))]
    assert early[0] == early[1]
    assert early[0]
