"""One problem is one line, whatever is in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.errors import BadInput, GamedayError, Interrupted, MissingExtra, Problem, nearest, shown


def test_a_problem_names_place_field_message_value_and_suggestion() -> None:
    problem = Problem("day.yaml", 4, 7, "system.services.checkout.slots", "eigth", "must be a whole number", "eight")
    assert (
        str(problem)
        == "day.yaml:4:7: system.services.checkout.slots: must be a whole number (read 'eigth'); did you mean 'eight'?"
    )


def test_what_is_not_known_is_left_out() -> None:
    assert str(Problem("day.yaml", None, None, "", None, "is empty")) == "day.yaml: is empty"
    assert str(Problem(None, None, None, "a.b", None, "is required")) == "a.b: is required"


def test_bad_input_shows_every_problem() -> None:
    problems = [Problem("a", 1, 1, "x", None, "one"), Problem("a", 2, 1, "y", None, "two")]
    bad = BadInput(problems)
    assert str(bad) == "a:1:1: x: one\na:2:1: y: two"
    assert (bad.problems, bad.exit_code) == (problems, 2)


def test_every_error_of_ours_is_a_gameday_error() -> None:
    assert issubclass(BadInput, GamedayError)
    assert str(MissingExtra("gameday live", "live")) == "gameday live needs the 'live' extra: pip install 'gameday-harness[live]'"
    assert Interrupted().exit_code == 130


@given(st.text(), st.text(), st.text(), st.text())
def test_a_problem_is_exactly_one_line(file: str, field: str, value: str, message: str) -> None:
    assert len(str(Problem(file, 1, 1, field, value, message)).splitlines()) <= 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        ({"a": 1}, "a mapping"),
        ([], "an empty list"),
        ("x" * 100, "x" * 57 + "..."),
        ("a\nb", "a\\nb"),
    ],
)
def test_a_value_is_shown_as_the_user_knows_it(value: object, text: str) -> None:
    assert shown(value) == text


def test_the_nearest_word_ignores_case_and_may_be_none() -> None:
    assert nearest("Chekout", ["cart", "checkout"]) == "checkout"
    assert nearest("PAGE", ["page", "ticket"]) == "page"
    assert nearest("zebra", ["page", "ticket"]) is None
