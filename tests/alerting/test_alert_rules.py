"""The alert state machine: behaviours pinned by Prometheus in rules/alerting_test.go and its documentation, from their description."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.alerting.alert import Sample, labels_of
from gameday.alerting.rules import RuleMachine

SHOP, CART = "service/shop", "service/cart"


def machine(hold_s: float = 0.0, keep_firing_for_s: float = 0.0, evaluation_s: float = 15.0) -> RuleMachine:
    return RuleMachine(
        "errors",
        "page",
        lambda subject: labels_of({"rule": "errors", "component": subject}),
        hold_s=hold_s,
        keep_firing_for_s=keep_firing_for_s,
        evaluation_s=evaluation_s,
    )


def play(rule: RuleMachine, conditions: str, every_s: float = 15.0, start_s: float = 0.0) -> list[tuple[float, str]]:
    """Evaluate `x` (condition holds) and `-` (no sample) one after the other; the changes of state."""
    changes: list[tuple[float, str]] = []
    for index, condition in enumerate(conditions):
        now = start_s + index * every_s
        samples = [Sample(SHOP, 1.0)] if condition == "x" else []
        changes += [(event.at, event.transition) for event in rule.evaluate(now, samples)]
        rule.to_send(now)
    return changes


def test_without_for_an_alert_fires_at_the_first_evaluation_with_a_sample() -> None:
    assert play(machine(), "--x-") == [(30, "firing"), (45, "resolved")]


def test_for_is_counted_from_the_first_evaluation_with_a_sample() -> None:
    assert play(machine(hold_s=30), "-xxxx-") == [(15, "pending"), (45, "firing"), (75, "resolved")]


def test_for_is_rounded_up_to_the_next_evaluation() -> None:
    assert play(machine(hold_s=31), "xxxxx") == [(0, "pending"), (45, "firing")]


def test_for_is_not_rounded_up_by_floating_point_when_evaluations_have_a_phase() -> None:
    assert play(machine(hold_s=60), "xxxxxx", start_s=3.7) == [(3.7, "pending"), (63.7, "firing")]


def test_one_missing_sample_makes_a_pending_alert_start_over() -> None:
    assert play(machine(hold_s=30), "xx-xxx") == [(0, "pending"), (45, "pending"), (75, "firing")]


def test_a_pending_alert_whose_condition_ends_is_neither_resolved_nor_sent() -> None:
    rule = machine(hold_s=300)
    assert play(rule, "xx--") == [(0, "pending")]
    assert rule.to_send(60) == []


def test_one_missing_sample_resolves_a_firing_alert() -> None:
    assert play(machine(), "x-x") == [(0, "firing"), (15, "resolved"), (30, "firing")]


def test_keep_firing_for_bridges_a_gap_that_is_shorter() -> None:
    assert play(machine(keep_firing_for_s=30), "x--x-x") == [(0, "firing")]


def test_keep_firing_for_is_counted_from_the_first_miss() -> None:
    # Missed at 15; 45 is the first evaluation at which 30 seconds have gone by.
    assert play(machine(keep_firing_for_s=30), "x----") == [(0, "firing"), (45, "resolved")]


def test_a_sample_clears_the_count_of_keep_firing_for() -> None:
    assert play(machine(keep_firing_for_s=30), "x--x--x--x---") == [(0, "firing"), (180, "resolved")]


def test_keep_firing_for_does_nothing_for_a_pending_alert() -> None:
    assert play(machine(hold_s=30, keep_firing_for_s=300), "x-x") == [(0, "pending"), (30, "pending")]


def test_every_label_set_has_its_own_state() -> None:
    rule = machine(hold_s=15)
    rule.evaluate(0, [Sample(SHOP, 1)])
    events = rule.evaluate(15, [Sample(SHOP, 1), Sample(CART, 1)])
    assert [(event.subject, event.transition) for event in events] == [(SHOP, "firing"), (CART, "pending")]
    events = rule.evaluate(30, [Sample(CART, 1)])
    assert [(event.subject, event.transition) for event in events] == [(SHOP, "resolved"), (CART, "firing")]


def test_an_event_carries_the_newest_value() -> None:
    rule = machine(hold_s=15)
    rule.evaluate(0, [Sample(SHOP, 0.2)])
    (fired,) = rule.evaluate(15, [Sample(SHOP, 0.7)])
    assert fired.value == pytest.approx(0.7)


def test_the_start_that_is_sent_is_when_it_fired_not_when_it_became_pending() -> None:
    rule = machine(hold_s=30)
    play(rule, "xx")
    rule.evaluate(30, [Sample(SHOP, 1)])
    (sent,) = rule.to_send(30)
    assert (sent.starts_at, sent.ends_at) == (30, 30 + 4 * 60)


def test_a_firing_alert_is_sent_again_after_more_than_the_resend_delay() -> None:
    rule = machine()
    sent_at = []
    for now in range(0, 200, 15):
        rule.evaluate(now, [Sample(SHOP, 1)])
        sent_at += [now] * len(rule.to_send(now))
    assert sent_at == [0, 75, 150]


def test_a_resolved_alert_is_sent_at_once_and_then_again_for_fifteen_minutes() -> None:
    rule = machine(evaluation_s=60)
    rule.evaluate(0, [Sample(SHOP, 1)])
    rule.to_send(0)
    ends = {}
    for now in range(60, 1500, 60):
        rule.evaluate(now, [])
        for alert in rule.to_send(now):
            ends[now] = alert.ends_at
    assert set(ends.values()) == {60}
    assert min(ends) == 60
    assert 900 <= max(ends) <= 60 + 900


def test_a_restart_makes_a_firing_alert_pending_again() -> None:
    rule = machine(hold_s=15)
    play(rule, "xx")
    rule.forget()
    assert [event.transition for event in rule.evaluate(30, [Sample(SHOP, 1)])] == ["pending"]


@given(st.text(alphabet="x-", max_size=40), st.integers(0, 90), st.integers(0, 90))
def test_it_fires_exactly_after_enough_evaluations_in_a_row(conditions: str, hold_s: int, keep_s: int) -> None:
    """Against a direct reading of the definition over the whole history."""
    rule = machine(hold_s=hold_s, keep_firing_for_s=keep_s)
    labels = labels_of({"rule": "errors", "component": SHOP})
    firing, streak, misses = False, 0, 0
    for index, condition in enumerate(conditions):
        rule.evaluate(index * 15, [Sample(SHOP, 1)] if condition == "x" else [])
        if condition == "x":
            streak, misses = streak + 1, 0
            firing = firing or (streak - 1) * 15 >= hold_s
        else:
            streak, misses = 0, misses + 1
            firing = firing and (misses - 1) * 15 < keep_s
        assert (rule.state(labels) == "firing") == firing


@given(st.lists(st.sets(st.sampled_from([SHOP, CART])), max_size=30), st.integers(0, 60))
def test_firing_and_resolved_alternate_for_every_alert(history: Iterable[set[str]], hold_s: int) -> None:
    rule = machine(hold_s=hold_s)
    told: dict[str, list[str]] = {SHOP: [], CART: []}
    for index, subjects in enumerate(history):
        for event in rule.evaluate(index * 15, [Sample(subject, 1) for subject in sorted(subjects)]):
            if event.transition != "pending":
                told[event.subject].append(event.transition)
    for changes in told.values():
        assert changes == ["firing" if index % 2 == 0 else "resolved" for index in range(len(changes))]


@pytest.mark.parametrize(
    ("hold_s", "pending_s", "outage_s", "fires_s"),
    [
        (300, 200, 60, 300),  # too short a `for`: it starts over
        (900, 1200, 60, 15),  # it fired before: again at the second evaluation
        (900, 600, 60, 600),  # less than the grace period was left: the grace period
        (3600, 600, 60, 3000),  # what was left, the outage not counted
        (3600, 600, 3700, 3600),  # too long an outage: it starts over
    ],
)
def test_after_a_restart_a_long_for_goes_on_where_it_was(hold_s: int, pending_s: int, outage_s: int, fires_s: int) -> None:
    machine = RuleMachine("r", "page", lambda subject: labels_of({"subject": subject}), hold_s=hold_s, evaluation_s=15)
    sample = [Sample("s", 1.0)]
    for at in range(0, pending_s + 1, 15):
        machine.evaluate(float(at), sample)
    down_at = at
    machine.forget()
    back = down_at + outage_s
    fired = next(
        now
        for now in range(back, back + 2 * hold_s, 15)
        for event in machine.evaluate(float(now), sample)
        if event.transition == "firing"
    )
    assert fired - back == -(-fires_s // 15) * 15
