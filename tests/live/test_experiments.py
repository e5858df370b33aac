"""Scenarios as Chaos Toolkit experiments: valid for the library, runnable by the stock command, in the right order."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("chaoslib", reason="needs the live extra")

from days import environment, gameday
from fake_lab import FakeLab, write_scenario

from experiments.compile import compiled
from gameday.scenario import read_scenario
from gameday.target import read_target


def test_the_method_follows_the_clock_and_every_fault_has_a_rollback(tmp_path: Path, lab: FakeLab) -> None:
    path = write_scenario(tmp_path, fault="kill service/shop@a at 5s for 5s\n    - freeze service/shop@b at 7s for 1s")
    made = compiled(read_scenario(path), read_target(lab.target_file), path)
    names = [activity["name"] for activity in made["method"]]
    assert names == [
        "until 5 s", "inject-0", "proven-0", "until 7 s", "inject-1", "proven-1", "until 8 s", "heal-1", "until 10 s", "heal-0", "until 16 s",
    ]  # fmt: skip
    assert [activity["name"] for activity in made["rollbacks"]] == ["heal-1", "heal-0"]
    assert made["extensions"][0]["scenario"] == "small-day"


def test_a_fault_may_name_any_activity_and_must_say_how_it_is_undone(tmp_path: Path, lab: FakeLab) -> None:
    live = '{fault: kill, target: service/shop@a, at: 2s, for: 2s, live: {provider: {type: process, path: "true"}, rollback: {type: process, path: "true"}}}'
    path = write_scenario(tmp_path, fault=live)
    made = compiled(read_scenario(path), read_target(lab.target_file), path)
    assert made["method"][1]["provider"] == {"type": "process", "path": "true"}
    assert made["rollbacks"][0]["provider"] == {"type": "process", "path": "true"}
    path.write_text(path.read_text().replace(', rollback: {type: process, path: "true"}', ""))
    refused = gameday(tmp_path, "validate", str(path))
    assert refused.returncode == 2
    assert "rollback" in refused.stderr + refused.stdout


def test_the_stock_command_runs_what_is_exported(tmp_path: Path, lab: FakeLab) -> None:
    path = write_scenario(tmp_path, duration="6s", fault="kill service/shop@a at 1s for 2s")
    exported = gameday(tmp_path, "export", "chaostoolkit", str(path), "--target", str(lab.target_file))
    assert exported.returncode == 0, exported.stderr
    (tmp_path / "e.json").write_text(exported.stdout)
    chaos = Path(sys.executable).with_name("chaos")
    for command in (["validate", "e.json"], ["run", "--rollback-strategy", "always", "e.json"]):
        ended = subprocess.run(
            [str(chaos), "--no-version-check", *command],
            cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stdout + ended.stderr
    journal = json.loads((tmp_path / "journal.json").read_text())
    assert (journal["status"], journal["deviated"]) == ("completed", False)
    assert [run["status"] for run in journal["run"]] == ["succeeded"] * len(journal["run"])
    assert lab.calls == ["kill shop-a", "restart shop-a"]


def test_what_the_extension_brings_is_discovered() -> None:
    import experiments

    found = {activity["name"] for activity in experiments.discover()["activities"]}
    assert {"inject", "heal", "wait_until", "good_ratio", "primaries", "replication_lag", "proven"} <= found


@pytest.mark.parametrize(
    ("answer", "tolerance", "unproven"), [(False, False, 0), (True, False, 1), (0, 0, 0), (1, 0, 1), ("up", "down", 1)]
)
def test_a_proof_holds_when_its_answer_is_within_its_tolerance(
    tmp_path: Path, lab: FakeLab, monkeypatch: pytest.MonkeyPatch, answer: object, tolerance: object, unproven: int
) -> None:
    from experiments.controls import after_activity_control, before_activity_control
    from experiments.session import SCENARIO, TARGET, close_sessions, session_of

    monkeypatch.chdir(tmp_path)
    live = '{fault: kill, target: service/shop@a, at: 2s, for: 2s, live: {provider: {type: process, path: "true"}, rollback: {type: process, path: "true"}}}'
    configuration = {TARGET: str(lab.target_file), SCENARIO: str(write_scenario(tmp_path, fault=live))}
    before_activity_control({"name": "inject-0"}, configuration)
    after_activity_control({"name": "inject-0", "provider": {}}, {"status": "succeeded"}, configuration)
    probe = {"name": "proven-0", "provider": {"func": "look"}, "tolerance": tolerance}
    after_activity_control(probe, {"status": "succeeded", "output": answer}, configuration)
    assert len(session_of(configuration).unproven) == unproven
    assert session_of(configuration).plan.of("0").state == "injected"
    close_sessions()
