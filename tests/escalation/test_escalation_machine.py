"""Escalation: levels, delays, repeats, acknowledgement; behaviours of GoAlert and PagerDuty from their description."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.escalation import Call, Decision, Escalated, EscalationMachine, GaveUp
from gameday.scenario.response import Escalation

PEOPLE = {"rota/first": ["ana"], "rota/second": ["ben"], "team/shop": ["ana", "cyd"], "rota/empty": [], "person/eve": ["eve"]}


def resolve(target: str, now: float) -> Sequence[str]:
    del now
    return PEOPLE[target]


def policy(*levels: list[str], repeat: int = 0, after: float = 300) -> Escalation:
    return Escalation.model_validate({"levels": [{"notify": notify, "after": after} for notify in levels], "repeat": repeat})


def run(machine: EscalationMachine, now: float = 0.0) -> list[Decision]:
    """Nobody ever answers."""
    decisions = machine.start(now)
    while (due := machine.next_at()) is not None:
        decisions += machine.tick(due)
    return decisions


def story(decisions: list[Decision]) -> list[tuple[float, str]]:
    told = []
    for decision in decisions:
        match decision:
            case Call():
                told.append((decision.at, f"call {decision.level}: {' '.join(decision.people)}"))
            case Escalated():
                told.append((decision.at, f"{decision.from_level} -> {decision.to_level}"))
            case GaveUp():
                told.append((decision.at, f"gave up at {decision.level}"))
    return told


def test_the_next_level_is_called_when_nobody_acknowledges_in_time() -> None:
    machine = EscalationMachine(policy(["rota/first"], ["rota/second"]), resolve, "page/1")
    assert story(run(machine, 10)) == [
        (10, "call 1: ana"),
        (310, "1 -> 2"),
        (310, "call 2: ben"),
        (610, "gave up at 2"),
    ]
    assert machine.state == "gave_up"


def test_levels_are_repeated_as_often_as_the_policy_says() -> None:
    machine = EscalationMachine(policy(["rota/first"], ["rota/second"], repeat=2), resolve, "page/1")
    decisions = run(machine)
    assert [(d.level, d.round) for d in decisions if isinstance(d, Call)] == [(1, 1), (2, 1), (1, 2), (2, 2), (1, 3), (2, 3)]
    assert [d.at for d in decisions if isinstance(d, GaveUp)] == [6 * 300]


def test_an_acknowledgement_stops_the_escalation() -> None:
    machine = EscalationMachine(policy(["rota/first"], ["rota/second"]), resolve, "page/1")
    machine.start(0)
    assert machine.acknowledge(299, "ana")
    assert machine.next_at() is None
    assert machine.tick(300) == []
    assert (machine.state, machine.acknowledged_by) == ("acknowledged", "ana")


def test_only_the_first_acknowledgement_counts() -> None:
    machine = EscalationMachine(policy(["team/shop"]), resolve, "page/1")
    machine.start(0)
    assert machine.acknowledge(10, "cyd")
    assert not machine.acknowledge(20, "ana")
    assert machine.acknowledged_by == "cyd"


def test_somebody_called_at_an_earlier_level_can_still_acknowledge() -> None:
    machine = EscalationMachine(policy(["rota/first"], ["rota/second"]), resolve, "page/1")
    machine.start(0)
    machine.tick(300)
    assert machine.acknowledge(310, "ana")
    assert machine.next_at() is None


def test_a_page_that_was_given_up_can_still_be_acknowledged() -> None:
    machine = EscalationMachine(policy(["rota/first"]), resolve, "page/1")
    run(machine)
    assert machine.acknowledge(9999, "ana")
    assert machine.state == "acknowledged"


def test_somebody_who_was_never_called_cannot_acknowledge() -> None:
    machine = EscalationMachine(policy(["rota/first"]), resolve, "page/1")
    machine.start(0)
    with pytest.raises(AssertionError):
        machine.acknowledge(10, "ben")


def test_a_tick_before_the_time_decides_nothing() -> None:
    machine = EscalationMachine(policy(["rota/first"], ["rota/second"]), resolve, "page/1")
    machine.start(0)
    assert machine.tick(299.9) == []
    assert len(machine.tick(300)) == 2


def test_a_call_goes_once_to_a_person_who_is_behind_two_names() -> None:
    machine = EscalationMachine(policy(["rota/first", "team/shop"]), resolve, "page/1")
    (call,) = machine.start(0)
    assert isinstance(call, Call)
    assert call.people == ("ana", "cyd")
    assert call.targets == ("rota/first", "team/shop")


def test_a_level_with_nobody_is_passed_over_at_once_and_says_so() -> None:
    machine = EscalationMachine(policy(["rota/empty"], ["rota/second"]), resolve, "page/1")
    passed, call = machine.start(0)
    assert isinstance(passed, Escalated)
    assert passed.why == "nobody is behind rota/empty"
    assert isinstance(call, Call)
    assert (call.at, call.level) == (0, 2)


def test_a_policy_with_nobody_at_all_gives_up_at_once() -> None:
    machine = EscalationMachine(policy(["rota/empty"], ["rota/empty"], repeat=1), resolve, "page/1")
    decisions = machine.start(0)
    assert isinstance(decisions[-1], GaveUp)
    assert machine.next_at() is None


def test_somebody_who_cannot_help_sends_it_on_at_once() -> None:
    machine = EscalationMachine(policy(["rota/first"], ["rota/second"]), resolve, "page/1")
    machine.start(0)
    escalated, call = machine.escalate(20, "not my service")
    assert isinstance(escalated, Escalated)
    assert escalated.why == "not my service"
    assert (call.at, machine.next_at()) == (20, 320)


def test_the_end_of_the_alerts_ends_the_calls() -> None:
    machine = EscalationMachine(policy(["rota/first"], ["rota/second"]), resolve, "page/1")
    machine.start(0)
    machine.end()
    assert (machine.state, machine.next_at(), machine.tick(300)) == ("ended", None, [])


def test_people_are_looked_up_at_the_moment_of_each_call() -> None:
    machine = EscalationMachine(policy(["x"], repeat=1), lambda target, now: ["ana" if now < 100 else "ben"], "page/1")
    assert [d.people for d in run(machine) if isinstance(d, Call)] == [("ana",), ("ben",)]


targets = st.lists(st.sampled_from(sorted(PEOPLE)), min_size=1, max_size=3)
policies = st.builds(
    lambda levels, repeat, after: policy(*levels, repeat=repeat, after=after),
    st.lists(targets, min_size=1, max_size=5),
    st.integers(0, 4),
    st.integers(0, 900),
)


@given(policies, st.integers(0, 5000), st.booleans())
def test_every_page_is_acknowledged_or_escalated_until_it_is_given_up(rules: Escalation, answer_s: int, answers: bool) -> None:
    machine = EscalationMachine(rules, resolve, "page/1")
    decisions = machine.start(0)
    steps = 0
    while (due := machine.next_at()) is not None and not (answers and due > answer_s):
        assert due >= decisions[-1].at
        decisions += machine.tick(due)
        steps += 1
        assert steps <= len(rules.levels) * (rules.repeat + 1)
    if machine.state == "waiting":
        assert machine.acknowledge(answer_s, machine.called[0])
        assert machine.next_at() is None
    assert machine.state in {"acknowledged", "gave_up"}
    calls = [d for d in decisions if isinstance(d, Call)]
    moves = [d for d in decisions if isinstance(d, Escalated)]
    # Every level that was entered was called, or left because nobody was behind it.
    empty = [d for d in decisions if not isinstance(d, Call) and d.why.startswith("nobody")]
    assert len(calls) + len(empty) == len(moves) + 1
    assert sum(isinstance(d, GaveUp) for d in decisions) == (machine.state == "gave_up")


@given(policies)
def test_without_an_answer_every_level_is_tried_in_every_round(rules: Escalation) -> None:
    machine = EscalationMachine(rules, resolve, "page/1")
    decisions = run(machine)
    entered = [1, *(d.to_level for d in decisions if isinstance(d, Escalated))]
    assert entered == list(range(1, len(rules.levels) + 1)) * (rules.repeat + 1)
