"""Every registered practice makes its difference, and the registry says what is wrong with a file of its own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gameday.cli import run_command
from gameday.errors import BadInput
from gameday.practices import Entry, Practice, measure, read_practice, registered, registry
from gameday.scores.kpis import KPIS
from tests.docs.fenced import ROOT

FILES = registry()
MOST_DAYS = 20
"""Days of each side that a test plays; a practice that needs more says so in its file and is measured by hand."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_difference_emerges(file: Path) -> None:
    entry = read_practice(file)
    found = measure(entry, min(entry.practice.replications, MOST_DAYS))
    assert found.verdict == "emerges", (found.comparison, found.without, found.with_it)
    assert found.left_out <= len(found.without), "most days are judged"


def entry(folder: Path, **changes: object) -> Entry:
    """A practice of ours on the registry's base."""
    file = folder / "2.7-mine.yaml"
    text = {
        "practice": "2.7",
        "title": "t",
        "why": "w",
        "base": "practices/bases/small-shop.yaml",
        "without": {"duration": "20m", "response": {"timing": {"miss": 0}}},
        "with": {"duration": "20m", "response": {"timing": {"miss": 0, "notice": {"median": "1s", "sigma": 0.1}}}},
        "kpi": "response.time_to_acknowledge",
        "expect": "lower",
        **changes,
    }
    file.write_text(json.dumps(text), encoding="utf-8")
    return read_practice(file)


def test_a_practice_that_changes_nothing_of_its_kpi_does_not_emerge(tmp_path: Path) -> None:
    same = {"duration": "20m", "response": {"timing": {"miss": 0}}, "communication": {"status_page": {"automatic": True}}}
    found = measure(entry(tmp_path, **{"with": same}), 3)
    assert found.verdict == "does not"
    assert np.array_equal(found.without, found.with_it), "the same seeds give the same acknowledgements"


def test_a_practice_that_works_the_other_way_does_not_emerge(tmp_path: Path) -> None:
    assert measure(entry(tmp_path), 6).verdict == "emerges"
    assert measure(entry(tmp_path, expect="higher"), 6).verdict == "does not"


def test_everything_that_is_wrong_with_a_practice_is_said_at_its_own_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as bad:
        entry(tmp_path, kpi="response.time_to_acknowlege", base="bases/smal-shop.yaml", without={}, **{"with": {}})
    text = str(bad.value)
    assert "did you mean 'response.time_to_acknowledge'?" in text
    assert "did you mean 'practices/bases/small-shop.yaml'?" in text
    assert "nothing to compare" in text
    with pytest.raises(BadInput, match=r"2\.7-mine\.yaml:1.*response\.timing\.notise.*did you mean 'notice'"):
        entry(tmp_path, **{"with": {"response": {"timing": {"notise": "1s"}}}})
    with pytest.raises(BadInput, match=r"begins with another number"):
        entry(tmp_path, practice="3.1")


def test_a_number_that_is_not_registered_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["practices", "2.70"]) == 2
    assert "did you mean '2.7'?" in capsys.readouterr().err


def test_the_command_prints_the_interval_and_exits_by_the_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = entry(tmp_path).file
    assert run_command(["practices", str(file), "--replications", "4", "--jobs", "1", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)["practices"][0]
    assert shown["verdict"] == "emerges"
    assert shown["effect_low"] < shown["effect"] < shown["effect_high"] < 1.0
    entry(tmp_path, expect="higher")
    assert run_command(["practices", str(file), "--replications", "4", "--jobs", "1"]) == 1
    assert "does not" in capsys.readouterr().out


def test_the_registry_is_listed_in_order_and_every_file_is_checked_by_validate(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["practices", "--list", "--json"]) == 0
    listed = [one["practice"] for one in json.loads(capsys.readouterr().out)["practices"]]
    assert listed == sorted(listed, key=lambda name: [int(part) for part in name.split(".")])
    assert len(listed) == len(registered()) == len(FILES)
    assert run_command(["validate", str(ROOT / "scenarios" / "practices"), "--json"]) == 0
    kinds = [one["kind"] for one in json.loads(capsys.readouterr().out)["files"]]
    assert kinds.count("practice") == len(FILES)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_practice_measures_a_kpi_in_its_own_direction(file: Path) -> None:
    """The registry shows benefits; the price of one would be expected against its KPI's direction, and none is registered."""
    practice: Practice = read_practice(file).practice
    assert practice.expect == KPIS[practice.kpi].better
