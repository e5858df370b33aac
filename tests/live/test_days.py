"""Whole live days on plain processes: played to the end, killed, interrupted, aborted, on targets that lie and that refuse."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

pytest.importorskip("chaoslib", reason="needs the live extra")
pytest.importorskip("psycopg", reason="needs the live extra")

from days import Day, gameday, wait_until
from fake_lab import TOKEN, FakeLab, write_scenario

from gameday.prediction import read_prediction
from gameday.scores.taking_part import NOT_ASSESSED
from gameday.series import read_series
from gameday.timeline_files import read_timeline

SHORT = {"duration": "14s", "fault": "kill service/shop@a at 4s for 4s"}


def test_a_day_is_played_proven_healed_scored_and_held_against_its_prediction(tmp_path: Path, lab: FakeLab) -> None:
    day = Day(tmp_path, lab, **SHORT)
    code = day.end()
    run = tmp_path / "run"
    assert code in {0, 1, 3}, day.log.read_text()
    timeline = read_timeline(run / "timeline.jsonl")
    kinds = [event.kind for event in timeline]
    for kind in (
        "run.started",
        "fault.injected",
        "fault.proven",
        "fault.healed",
        "impact.started",
        "alert.firing",
        "page.sent",
        "run.ended",
    ):
        assert kind in kinds, f"{kind} is missing:\n{day.log.read_text()}"
    assert timeline.first("run.started").data["people"] == "none"
    response = json.loads((run / "scores.json").read_text())["dimensions"]["response"]
    by_people = {one["kpi"]: one["note"] for one in response["results"] if one["kpi"] == "response.time_to_acknowledge"}
    assert by_people == {"response.time_to_acknowledge": NOT_ASSESSED}, "nobody was asked, so nobody is unable"
    assert "no people took part, so the grade leaves out" in day.log.read_text()
    injected, healed = timeline.first("fault.injected"), timeline.first("fault.healed")
    assert injected is not None
    assert healed is not None
    assert injected.wall is not None
    assert lab.calls == ["kill shop-a", "restart shop-a"]
    assert lab.state("shop-a") == "running"
    series = read_series(run / "series.parquet")
    offered = series.one("requests.offered", {"class": "checkout", "origin": "home"})
    refused = series.find("requests.lost", {"class": "checkout", "origin": "home", "reason": "refused"})
    assert offered.values.sum() > 50
    assert refused[0].values.sum() > 5
    assert not series.find("requests.lost", {"origin": "away", "reason": "refused"})
    prediction = read_prediction(run / "prediction.json")
    assert prediction["registered"] < json.loads((run / "run.json").read_text())["finished"]
    assert prediction["kpis"]
    verdict = json.loads((run / "verdict.json").read_text())
    assert verdict["verdict"] == json.loads((run / "scores.json").read_text())["verdict"]
    for file in run.rglob("*"):
        if file.is_file() and file.suffix != ".parquet":
            assert TOKEN not in file.read_text(errors="replace"), f"{file} holds the token"


@pytest.mark.parametrize(
    ("fault", "call", "state"),
    [("kill service/shop@a", "restart shop-a", "stopped"), ("slow service/shop@a factor=4", "throttle?share=1.0 shop-a", "slow")],
)
def test_when_the_controller_is_killed_the_guardian_heals(
    tmp_path: Path, lab: FakeLab, fault: str, call: str, state: str
) -> None:
    day = Day(tmp_path, lab, duration="60s", fault=f"{fault} at 2s for 50s")
    day.wait_for("proven")
    assert lab.state("shop-a") == state
    day.send(signal.SIGKILL)
    assert wait_until(lambda: call in lab.calls), "nobody healed"
    day.end()
    assert wait_until(lambda: lab.state("shop-a") == "running")
    note = tmp_path / "run" / "live" / "guardian.jsonl"
    assert wait_until(lambda: note.exists() and note.read_text().endswith("\n"))
    assert json.loads(note.read_text())["healed"] == [fault.partition(" factor")[0]]
    assert "nothing was left" in gameday(tmp_path, "heal", "run").stdout
    assert wait_until(lambda: not lab_is_loaded(tmp_path)), "the load went on after the controller's death"


def lab_is_loaded(folder: Path) -> bool:
    """Whether the load generator still writes."""
    sizes = [sum(file.stat().st_size for file in (folder / "run" / "live").glob("load-*.jsonl"))]
    time.sleep(1.5)
    return sizes != [sum(file.stat().st_size for file in (folder / "run" / "live").glob("load-*.jsonl"))]


def test_ctrl_c_heals_keeps_the_record_and_exits_with_130(tmp_path: Path, lab: FakeLab) -> None:
    day = Day(tmp_path, lab, duration="60s", fault="freeze service/shop@a at 2s for 50s")
    day.wait_for("proven")
    assert lab.state("shop-a") == "frozen"
    day.send(signal.SIGINT)
    assert day.end() == 130
    assert lab.state("shop-a") == "running"
    timeline = read_timeline(tmp_path / "run" / "timeline.jsonl")
    assert timeline.first("run.aborted") is not None
    assert timeline.first("fault.healed") is not None
    assert json.loads((tmp_path / "run" / "run.json").read_text())["interrupted"] is True


def test_abort_heals_from_any_terminal_and_refuses_new_days_until_rearmed(tmp_path: Path, lab: FakeLab) -> None:
    day = Day(tmp_path, lab, duration="60s", fault="kill service/shop@a at 2s for 50s")
    day.wait_for("proven")
    assert gameday(tmp_path, "abort", "--why", "smoke in the room").returncode == 0
    assert day.end() == 1
    assert lab.state("shop-a") == "running"
    assert "smoke in the room" in day.log.read_text()
    refused = gameday(tmp_path, "live", str(day.scenario), "--target", str(lab.target_file), "--dry-run")
    assert refused.returncode == 2
    assert "smoke in the room" in refused.stdout
    assert gameday(tmp_path, "rearm").returncode == 2
    assert gameday(tmp_path, "rearm", "--why", "it was toast").returncode == 0
    assert gameday(tmp_path, "live", str(day.scenario), "--target", str(lab.target_file), "--dry-run").returncode == 0


def test_a_supervisor_that_only_says_it_killed_makes_the_day_inconclusive(tmp_path: Path, lab: FakeLab) -> None:
    lab.lies = True
    day = Day(tmp_path, lab, duration="16s", fault="kill service/shop@a at 2s for 10s")
    assert day.end() == 3
    assert "not proven to bite" in day.log.read_text()
    assert "still answers" in day.log.read_text()


def test_a_target_that_refuses_makes_the_day_inconclusive(tmp_path: Path, lab: FakeLab) -> None:
    lab.refuses = True
    day = Day(tmp_path, lab, duration="8s", fault="kill service/shop@a at 2s for 2s")
    assert day.end() in {1, 3}
    assert "failed" in day.log.read_text()
    assert "I will not" in day.log.read_text()


def test_a_run_folder_that_cannot_be_written_stops_the_day_before_anything_is_broken(tmp_path: Path, lab: FakeLab) -> None:
    scenario = write_scenario(tmp_path)
    ended = gameday(
        tmp_path, "live", str(scenario), "--target", str(lab.target_file), "--out", "run", prefix=("prlimit", "--fsize=600")
    )
    assert ended.returncode == 2
    assert "larger than allowed" in ended.stderr
    assert lab.calls == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("errors service/shop ratio=50% at 2s for 2s", "lacks"),
        ("slow service/shop factor=2 at 2s for 2s", "100% of at most 50%"),
        ("kill zone/a1 at 2s for 20m", "too long"),
        ("kill service/shop at 2s for 2s", "100% of at most 50%"),
    ],
)
def test_the_preflight_fails_closed(tmp_path: Path, lab: FakeLab, fault: str, words: str) -> None:
    scenario = write_scenario(tmp_path, duration="30m", fault=fault)
    ended = gameday(tmp_path, "live", str(scenario), "--target", str(lab.target_file), "--dry-run")
    assert ended.returncode == 2
    assert words in ended.stdout
    assert lab.calls == []
