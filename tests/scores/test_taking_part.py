"""A live day on which nobody was asked to respond: what only people could have shown is not assessed; everything else is."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from gameday.report.scorecard import scorecard_on
from gameday.report.terminal import Terminal
from gameday.scores import replication_scores
from gameday.scores.aggregate import Aggregate
from gameday.scores.model import Grade
from gameday.scores.taking_part import NOT_ASSESSED
from tests.scores.days import Day


def nobody_answers(people: str | None) -> Day:
    """Users are hurt, a page goes through all levels in vain, and no audience is told anything."""
    day = Day().fault(600, "kill region/eu-1", until=1500).impact(610, 1520)
    day.page(620).page(920, "bo", level=2).page(1220, "cleo", level=3)
    if people is not None:
        started = day.events[0]
        day.events[0] = dataclasses.replace(started, data={**started.data, "people": people})
    return day


def scores(day: Day) -> dict[str, Any]:
    card, aggregate = day.card(), Aggregate(day.scenario, 1)
    aggregate.add(replication_scores(card, day.recording(), day.scenario, 0))
    return aggregate.scores()


@pytest.mark.parametrize("people", [None, "real"])
def test_people_who_were_asked_and_never_answer_are_unable(people: str | None) -> None:
    day = nobody_answers(people)
    card = day.card()
    assert day.result("response.time_to_acknowledge").grade is Grade.U
    assert card.dimensions["response"].grade is Grade.U
    assert card.grade is Grade.U
    assert "no people took part" not in scorecard_on(scores(day), Terminal(100))


def test_where_nobody_was_asked_the_grade_is_that_of_what_was_shown() -> None:
    day = nobody_answers("none")
    result = day.result("response.time_to_acknowledge")
    assert (result.grade, result.note, result.censored_at) == (Grade.NOT_APPLICABLE, NOT_ASSESSED, None)
    card = day.card()
    assert card.dimensions["response"].grade is Grade.P, "the paging service went through its levels, and users were well soon"
    assert card.dimensions["communication"].grade is Grade.NOT_APPLICABLE
    assert card.result("response.escalation_correctness").grade is Grade.P
    shown = scorecard_on(scores(day), Terminal(400))
    left_out = "no people took part, so the grade leaves out what only they could have shown: response.time_to_acknowledge, "
    assert left_out in shown
    assert "communication" in shown.partition(left_out)[2].splitlines()[0]


def test_one_who_answers_unasked_has_taken_part_and_is_assessed_with_the_rest() -> None:
    day = nobody_answers("none")
    day.source = "human"
    day.at(650, "page.acknowledged", page="page/1", person="ana")
    assert day.result("response.time_to_acknowledge").value == 30
    assert day.result("communication.time_to_first_update").note != NOT_ASSESSED


def test_what_machines_failed_to_do_is_not_excused() -> None:
    day = nobody_answers("none")
    day.events = [event for event in day.events if event.kind != "page.sent"]
    card = day.card()
    assert card.result("detection.time_to_detect").grade is Grade.U
    assert card.grade is Grade.U
