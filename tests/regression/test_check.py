"""`check` finds planted regressions, names what changed first, and is silent about what did not change."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gameday.regression.baseline import baseline_text, read_baseline, write_baseline, written_times
from gameday.regression.checking import Checked, Day, check, days, new_baseline, play_days
from gameday.regression.evidence import evidence, live_runs
from gameday.regression.gate import Held
from gameday.regression.landmarks import MOST_TIMES, first_difference, landmarks, partings
from gameday.regression.output import check_junit, check_markdown, check_text, update_text, workflow_commands
from gameday.replication import Workers
from gameday.scenario import read_scenario
from gameday.timeline import Timeline
from tests.cli.conftest import QUICK, Run

REPLICATIONS = 8


def played(folder: Path, text: str, baselines: Path, *, fresh: bool = False) -> list[Day]:
    """One game day, played in this process."""
    folder.mkdir(exist_ok=True)
    (folder / "quick.yaml").write_text(text, encoding="utf-8")
    found = days([folder], baselines, most=None, fresh=fresh)
    play_days(found, Workers(1), lambda: None)
    return found


@pytest.fixture(scope="session")
def scenario_text() -> str:
    return QUICK.read_text(encoding="utf-8").replace("replications: 2", f"replications: {REPLICATIONS}")


@pytest.fixture(scope="session")
def baselines(tmp_path_factory: pytest.TempPathFactory, scenario_text: str) -> Path:
    folder = tmp_path_factory.mktemp("baselines")
    (day,) = played(tmp_path_factory.mktemp("days"), scenario_text, folder, fresh=True)
    write_baseline(folder / "quick.yaml", new_baseline(day))
    return folder


def checked(tmp_path: Path, text: str, baselines: Path) -> tuple[Checked, Held]:
    found = check(played(tmp_path / "days", text, baselines))
    return found, found.held[0]


def test_what_did_not_change_holds_to_the_last_digit(tmp_path: Path, scenario_text: str, baselines: Path) -> None:
    found, held = checked(tmp_path, scenario_text, baselines)
    assert found.exit_code == 0
    assert held.same_scenario
    assert {one.kpi: (one.worse, one.effect) for one in held.shifts} == {
        "detection.time_to_detect": (0, 1.0),
        "cost.lost_revenue": (0, 0.0),
    }


def test_a_slower_probe_is_caught_and_the_alert_is_named_as_what_changed_first(
    tmp_path: Path, scenario_text: str, baselines: Path
) -> None:
    planted = scenario_text.replace("{class: visits, interval: 5s, timeout: 1s}", "{class: visits, interval: 20s, timeout: 1s}")
    found, held = checked(tmp_path, planted, baselines)
    assert found.exit_code == 1
    assert not held.same_scenario
    (finding,) = held.findings
    assert (finding.reason, finding.kpi) == ("shift", "detection.time_to_detect")
    first = finding.partings[0]
    assert first.label == "alert.firing class/visits@everyone rule=visits-fail"
    assert first.shift_s is not None
    assert 5 < first.shift_s < 40, "two probes, 15 s further apart each"
    assert "later" in check_text(found)


def test_a_regression_within_the_tolerance_is_let_pass(tmp_path: Path, scenario_text: str, baselines: Path) -> None:
    planted = scenario_text.replace("{class: visits, interval: 5s, timeout: 1s}", "{class: visits, interval: 20s, timeout: 1s}")
    playing = played(tmp_path / "days", planted, baselines)
    assert check(playing, tolerance=0.05).failed
    assert not check(playing, tolerance=3.0).failed


def test_a_gate_that_was_met_and_is_not_fails_without_statistics(tmp_path: Path, scenario_text: str, baselines: Path) -> None:
    planted = scenario_text.replace("interval: 5s, timeout: 1s}", "interval: 20s, timeout: 1s}").replace("<= 2m", "<= 1m")
    found, held = checked(tmp_path, planted, baselines)
    assert {"objective lost"} <= {one.reason for one in held.findings}
    assert "was met and" in check_text(found)


def test_an_improvement_is_no_finding(tmp_path: Path, scenario_text: str, baselines: Path) -> None:
    planted = scenario_text.replace("{class: visits, interval: 5s, timeout: 1s}", "{class: visits, interval: 1s, timeout: 1s}")
    found, held = checked(tmp_path, planted, baselines)
    assert held.shifts[0].effect is not None
    assert held.shifts[0].effect < 0.95
    assert found.exit_code == 0


def test_a_new_hard_failure_is_a_finding_and_an_old_one_is_not(tmp_path: Path, scenario_text: str, baselines: Path) -> None:
    (day,) = played(tmp_path / "days", scenario_text, baselines)
    day.hard["failover.split_brain_s"] = [3]
    found = check([day])
    assert [(one.reason, one.replications) for one in found.held[0].findings] == [("hard failure", (3,))]
    assert day.baseline is not None
    day.baseline = day.baseline.model_copy(update={"hard_failures": {"failover.split_brain_s": [3]}})
    assert not check([day]).failed


def test_baselines_survive_being_written_and_read(baselines: Path, tmp_path: Path) -> None:
    one = read_baseline(baselines / "quick.yaml")
    (tmp_path / "again.yaml").write_text(baseline_text(one), encoding="utf-8")
    assert read_baseline(tmp_path / "again.yaml") == one
    assert one.replications == REPLICATIONS
    assert (baselines / "quick.yaml").stat().st_size < 20_000, "small enough to review"


def test_update_shows_what_it_accepts(tmp_path: Path, scenario_text: str, baselines: Path) -> None:
    planted = scenario_text.replace("{class: visits, interval: 5s, timeout: 1s}", "{class: visits, interval: 20s, timeout: 1s}")
    (day,) = played(tmp_path / "days", planted, baselines)
    text = update_text(day.baseline, new_baseline(day))
    assert "changed  quick (so was the scenario)" in text
    assert "detection.time_to_detect: p50" in text
    assert "replications moved" in text
    assert update_text(day.baseline, day.baseline) == "same     quick" if day.baseline else False


def test_what_ci_servers_read_tells_of_the_finding(tmp_path: Path, scenario_text: str, baselines: Path) -> None:
    planted = scenario_text.replace("{class: visits, interval: 5s, timeout: 1s}", "{class: visits, interval: 20s, timeout: 1s}")
    found, _ = checked(tmp_path, planted, baselines)
    root = ET.fromstring(check_junit(found))
    assert (root.get("tests"), root.get("failures")) == ("4", "1")
    (command,) = workflow_commands(found)
    assert command.startswith("::error file=")
    assert "changed first" in command
    assert "\n" not in command
    assert "changed first" in check_markdown(found)


def test_the_command_makes_a_baseline_holds_and_catches(gameday: Run, tmp_path: Path, scenario_text: str) -> None:
    (tmp_path / "quick.yaml").write_text(scenario_text, encoding="utf-8")
    none = gameday("check", "quick.yaml", "--baseline", "b", "--jobs", 1)
    assert (none.returncode, "there is no baseline" in none.stdout) == (3, True)
    made = gameday("check", "quick.yaml", "--baseline", "b", "--update", "--jobs", 1)
    assert made.returncode == 0, made.stderr
    assert gameday("check", ".", "--baseline", "b", "--jobs", 1).returncode == 0, "baselines are no game days"
    worse = scenario_text.replace("interval: 5s, timeout: 1s}", "interval: 20s, timeout: 1s}")
    (tmp_path / "quick.yaml").write_text(worse, encoding="utf-8")
    caught = gameday("check", "quick.yaml", "--baseline", "b", "--jobs", 2, "--json", "--summary", "s.md", "--junit", "j.xml")
    assert caught.returncode == 1
    assert json.loads(caught.stdout)["game_days"][0]["findings"][0]["partings"][0]["label"].startswith("alert.firing")
    assert "changed first" in (tmp_path / "s.md").read_text()


def test_a_broken_baseline_is_told_with_its_line(gameday: Run, tmp_path: Path, baselines: Path) -> None:
    text = (baselines / "quick.yaml").read_text().replace("detection.time_to_detect:", "detection.time_to_detekt:")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "quick.yaml").write_text(text)
    ended = gameday("check", QUICK, "--baseline", "b")
    assert ended.returncode == 2
    assert "did you mean 'detection.time_to_detect'?" in ended.stderr
    assert "b/quick.yaml:" in ended.stderr


# -- landmarks ------------------------------------------------------------------------------------------------------------


def test_the_earliest_difference_counts_on_whichever_side_it_is() -> None:
    before, after = {"a": [1.0], "b": [5.0], "c": [9.0]}, {"a": [1.001], "b": [7.0], "d": [6.0]}
    assert first_difference(before, after) == ("b", 5.0, 7.0)
    assert first_difference({"a": [1.0]}, {"a": [1.0]}) is None
    found = partings([(before, after), ({"a": [1.0]}, {"a": [1.0]}), ({"x": [2.0]}, {})])
    assert [(one.label, one.first_in, one.pairs, one.shift_s) for one in found] == [("b", 1, 3, 2.0), ("x", 1, 3, None)]


@pytest.mark.parametrize(
    ("before", "after", "old", "new"),
    [
        ([10.0, 20.0], [10.0, 24.0], 20.0, 24.0),
        ([10.0, 20.0, 30.0], [10.0, 30.0], 20.0, None),
        ([10.0, 30.0], [10.0, 20.0, 30.0], None, 20.0),
        ([10.0], [], 10.0, None),
        ([10.0, 20.0], [20.0], 10.0, None),
    ],
)
def test_a_later_occurrence_that_moved_came_or_went_is_seen(
    before: list[float], after: list[float], old: float | None, new: float | None
) -> None:
    assert first_difference({"a": before, "later": [99.0]}, {"a": after, "later": [98.0]}) == ("a", old, new)


def test_what_lies_beyond_a_sequence_that_is_cut_off_is_no_difference() -> None:
    full = [float(one) for one in range(MOST_TIMES)]
    assert first_difference({"a": full}, {"a": [*full, 77.0]}) is None
    assert first_difference({"a": full}, {"a": full[1:]}) == ("a", 0.0, None)


def test_of_two_events_at_one_instant_the_one_that_was_written_first_is_named() -> None:
    after = {"z.cause": [7.0], "a.effect": [7.0]}
    assert first_difference({"z.cause": [5.0], "a.effect": [5.0]}, after) == ("z.cause", 5.0, 7.0)


def test_all_times_of_a_kind_are_kept_and_survive_being_written(baselines: Path) -> None:
    timeline = Timeline({})
    for t in (5.0, 3.0):
        timeline.add(
            t,
            "fault.healed",
            "fault/0",
            "sim",
            {"fault": "kill", "index": "0", "origin": "schedule", "selector": "zone/a", "parameters": {}},
        )
    found = landmarks(timeline.to_bytes())
    assert found == {"fault.healed fault/0": [3.0, 5.0]}
    events = {label: [written_times(times), None] for label, times in found.items()}
    one = read_baseline(baselines / "quick.yaml").model_copy(update={"events": events})
    assert (one.landmarks(0), one.landmarks(1)) == (found, None)


# -- evidence -------------------------------------------------------------------------------------------------------------


def test_live_evidence_gets_old(tmp_path: Path, finished_run: Path) -> None:
    scenario = read_scenario(QUICK, ["live_every=90d"])
    run = tmp_path / "results" / "one"
    run.mkdir(parents=True)
    (run / "run.json").write_text((finished_run / "run.json").read_text())
    (run / "timeline.jsonl").write_text((finished_run / "timeline.jsonl").read_text())
    now = datetime(2030, 1, 1, tzinfo=UTC)
    missing = evidence(scenario, live_runs([tmp_path / "results"]), now)
    assert missing is not None
    assert missing.state == "missing", "a simulated run is no live evidence"
    live = (run / "timeline.jsonl").read_text().replace('"source":"sim"', '"source":"live"')
    (run / "timeline.jsonl").write_text(live)
    runs = live_runs([tmp_path / "results"])
    old = evidence(scenario, runs, now)
    assert old is not None
    assert old.state == "expired"
    current = evidence(scenario, runs, runs["quick"][0])
    assert current is not None
    assert current.state == "current"
    assert evidence(read_scenario(QUICK), runs, now) is None
