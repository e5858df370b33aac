"""Plans that cannot work: approvals nobody can give, policies that reach nobody. They end, and they are shown."""

from __future__ import annotations

from gameday.describe import describe
from tests.people.small import play, scenario

ASLEEP = {
    "starts": "2026-03-02T02:00:00+00:00",
    "response": {
        "people": {"ana": {"timezone": "America/Los_Angeles"}, "cy": {"timezone": "America/Los_Angeles"}},
        "timing": {"miss_asleep": 1},
    },
    "communication": {"audiences": {"customers": {"approvals": ["legal"], "first_within": "2m"}}},
    "duration": "40m",
}
"""Responder and writer are in Los Angeles, the only lawyer sleeps in Greenwich and hears no call."""


def test_an_approval_that_only_a_sleeper_can_give_is_a_finding_before_the_day() -> None:
    found = [line for line in describe(scenario(ASLEEP)).warnings if line.startswith("approvals:")]
    assert len(found) == 1
    assert "needs legal, and everybody in that role (di) sleeps all the time" in found[0]
    awake = {"response": {"roles": {"legal": ["di", "cy"]}}}
    assert not [line for line in describe(scenario(ASLEEP, awake)).warnings if line.startswith("approvals:")]


def test_an_approval_that_nobody_gives_ends_with_the_message_unpublished() -> None:
    played = play(ASLEEP)
    assert played.of("message.drafted"), "it was written"
    assert not played.of("message.published", audience="customers")
    assert played.of("run.ended"), "and the day went on to its end"


def test_with_an_alternate_who_is_awake_the_same_message_is_published() -> None:
    played = play(ASLEEP, {"response": {"roles": {"legal": ["di", "cy"]}}})
    assert played.of("message.published", audience="customers")
