"""`gameday run` jumps over quiet stretches where several days are played, says so, and does not when told not to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gameday.cli import run_command
from gameday.game import jumps_by_default
from gameday.scenario import read_scenario
from gameday.scenario.model import Scenario

SCENARIO = str(Path(__file__).parents[2] / "scenarios" / "primary-loss.yaml")


def run(folder: Path, *arguments: str) -> float | None:
    """Play days of seven minutes; the share that was jumped over, as the folder has it."""
    assert run_command(
        ["run", SCENARIO, "--set", "duration=7m", "--jobs", "1", "--no-report", "--out", str(folder), *arguments]
    ) in (
        0,
        1,
    )
    jumped: float | None = json.loads((folder / "run.json").read_text(encoding="utf-8"))["jumped"]
    return jumped


def test_several_days_are_jumped_through_when_asked_for_and_the_run_says_how_far(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jumped = run(tmp_path / "quiet", "--replications", "2", "--quiet-stretches")
    assert jumped is not None
    assert 0.1 < jumped < 0.5, "one of two days: the one whose record is shown is played"
    assert f"quiet stretches: {jumped:.0%} of the time" in capsys.readouterr().out
    assert run(tmp_path / "exact", "--replications", "2", "--exact") is None
    assert "quiet stretches" not in capsys.readouterr().out
    shown, played = ((tmp_path / name / "timeline.jsonl").read_bytes() for name in ("quiet", "exact"))
    assert shown == played


def test_by_default_jumps_are_for_several_days_with_a_heavy_load() -> None:
    def heavy(rate: str) -> Scenario:
        return read_scenario(Path(SCENARIO), [f"load.classes.browse.rate={rate}"])

    assert jumps_by_default(heavy("600/s"), 2)
    assert not jumps_by_default(heavy("600/s"), 1)
    assert not jumps_by_default(heavy("25/s"), 1000)
    assert not jumps_by_default(heavy("{shape: spike, base: 25/s, peak: 2000/s, at: 5m, for: 1m}"), 2), "a spike is no heavy day"


def test_a_single_day_is_jumped_through_when_asked_for(tmp_path: Path) -> None:
    jumped = run(tmp_path / "quiet", "--replications", "1", "--quiet-stretches")
    assert jumped is not None
    assert jumped > 0.3


def test_exact_with_jumps_is_a_contradiction(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run_command(["run", SCENARIO, "--exact", "--quiet-stretches"])
    assert ended.value.code == 2
    assert "not allowed with" in capsys.readouterr().err
