"""Service times from a file: read beside the scenario, in its unit, and kept in what a run folder holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from gameday.errors import BadInput
from gameday.scenario import read_scenario
from gameday.scenario.writing import yaml_text
from sim.wiring import build

QUICK = Path(__file__).parent.parent / "data" / "quick.yaml"
FORM = "service_time: {family: empirical, file: times.csv"


def _day(folder: Path, csv: str | None, more: str = "", form: str = FORM) -> Path:
    day = folder / "day.yaml"
    before = "service_time: exponential 10ms"
    assert before in QUICK.read_text()
    day.write_text(QUICK.read_text().replace(before, form + more + "}", 1))
    if csv is not None:
        (folder / "times.csv").write_text(csv)
    return day


def test_times_are_read_in_their_unit_and_the_resolved_scenario_needs_no_file(tmp_path: Path) -> None:
    scenario = read_scenario(_day(tmp_path, "when,took\n1,30\n2,10\n3,20.5\n", ", column: took, unit: ms"))
    time = next(iter(scenario.system.services.values())).service_time
    assert time.family == "empirical"
    assert time.values == pytest.approx([0.03, 0.01, 0.0205])
    engine_time = build(scenario).plan.stations[0].service_time
    assert engine_time.values == tuple(sorted(time.values or ()))
    assert engine_time.mean_s == pytest.approx(0.0605 / 3)
    resolved = tmp_path / "elsewhere" / "resolved.yaml"
    resolved.parent.mkdir()
    resolved.write_text(yaml_text(scenario.model_dump(mode="json", by_alias=True, exclude_unset=True)))
    assert read_scenario(resolved) == scenario


@pytest.mark.parametrize(
    ("csv", "more", "told"),
    [
        (None, "", "file: cannot be read: does not exist (read 'times.csv')"),
        ("", "", "column: is not a column of times.csv (read 'value')"),
        ("valu\n1\n", "", "column: is not a column of times.csv (read 'value'); did you mean 'valu'?"),
        ("value\n1\nlong\n", "", "file: times.csv row 3 holds no number in column value (read 'long')"),
        ("value\n-1\n", "", "file: times.csv row 2 holds -1, and a time is a number from 0 (read 'times.csv')"),
        ("value\n1\n", ", unit: h", "unit: must be"),
        ("value\n1\n", ", mean: 3ms", "mean"),
    ],
)
def test_what_is_wrong_with_measured_times_is_told_at_its_place(tmp_path: Path, csv: str | None, more: str, told: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_scenario(_day(tmp_path, csv, more))
    assert told in str(caught.value)
    assert len(caught.value.problems) == 1


def test_measured_times_without_a_file_or_values_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="needs a 'file' of times"):
        read_scenario(_day(tmp_path, None, "", "service_time: {family: empirical"))
