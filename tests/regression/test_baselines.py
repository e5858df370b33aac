"""The reviewed baselines are those of the shipped game days as they are now."""

from __future__ import annotations

import pytest

from gameday import __version__
from gameday.regression.baseline import baseline_file, read_baseline
from gameday.regression.checking import game_days
from gameday.scenario import digest, read_scenario
from tests.cli.conftest import ROOT

BASELINES = ROOT / "results" / "baselines"
MAKE = "run: .venv/bin/gameday check scenarios --update, read what it prints, and commit results/baselines"
SCENARIOS = {path.stem: path for path in game_days([ROOT / "scenarios"])}


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_shipped_game_day_has_a_baseline_of_what_it_is_now(name: str) -> None:
    scenario = read_scenario(SCENARIOS[name])
    file = baseline_file(BASELINES, scenario.name)
    assert file.is_file(), f"{name} has no baseline; {MAKE}"
    baseline = read_baseline(file)
    assert baseline.scenario_sha256 == digest(scenario), f"{name} was changed since its baseline was made; {MAKE}"
    assert baseline.version == __version__, MAKE
    assert set(baseline.kpis) == {one.kpi for one in scenario.objectives}, MAKE
    assert file.stat().st_size < 60_000, "small enough to review"


def test_no_baseline_is_of_a_game_day_that_is_gone() -> None:
    names = {read_scenario(path).name for path in SCENARIOS.values()}
    assert {file.stem for file in BASELINES.glob("*.yaml")} == names, MAKE
