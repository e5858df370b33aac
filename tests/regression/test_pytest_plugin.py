"""The plugin in an empty repository with only a scenario file."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.cli.conftest import QUICK, environment

NAMES = ("scenario", "detection.time_to_detect worst <= 2m", "no hard failure")


def run_pytest(folder: Path, *arguments: str, by_name: bool = True) -> subprocess.CompletedProcess[str]:
    """pytest in a folder of its own; without entry points, so that only ours is loaded."""
    plugin = ("-p", "gameday.pytest_plugin") if by_name else ()
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugin, *arguments],
        cwd=folder,
        env=environment(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_every_gate_is_a_test(tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "quick.yaml").write_text(QUICK.read_text())
    (tmp_path / "scenarios" / "other.yaml").write_text("a: 1\n")
    ended = run_pytest(tmp_path, "--gameday", "scenarios", "-vv")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "3 passed" in ended.stdout
    for name in NAMES:
        assert f"quick.yaml::{name} PASSED" in ended.stdout


def test_a_missed_gate_fails_in_words_and_the_other_tests_pass(tmp_path: Path) -> None:
    (tmp_path / "quick.yaml").write_text(QUICK.read_text().replace("target: <= 2m", "target: <= 1s"))
    ended = run_pytest(tmp_path, "--gameday", "--gameday-replications", "3", ".")
    assert ended.returncode == 1
    assert "1 failed, 2 passed" in ended.stdout
    assert re.search(r"worst is .*s over 3 replications, target <= 1s", ended.stdout)
    assert "Traceback" not in ended.stdout


def test_a_broken_scenario_fails_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "quick.yaml").write_text(QUICK.read_text().replace("entry: web", "entry: wep"))
    ended = run_pytest(tmp_path, "--gameday", ".")
    assert ended.returncode == 1
    assert "did you mean 'web'?" in ended.stdout
    assert "quick.yaml:" in ended.stdout


def test_nothing_is_collected_unless_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "quick.yaml").write_text(QUICK.read_text())
    assert run_pytest(tmp_path, ".").returncode == 5, "5: no tests were collected"


def test_a_number_that_cannot_be_is_refused(tmp_path: Path) -> None:
    ended = run_pytest(tmp_path, "--gameday", "--gameday-jobs", "0")
    assert ended.returncode == 4
    assert "--gameday-jobs must be a whole number from 1, not 0" in ended.stderr


def test_the_plugin_loads_nothing_heavy(tmp_path: Path) -> None:
    code = "import sys, gameday.pytest_plugin; print([m for m in ('numpy', 'pydantic', 'numba', 'sim') if m in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


def test_an_installation_registers_it() -> None:
    found = [one.value for one in entry_points(group="pytest11") if one.name == "gameday"]
    if not found:
        pytest.skip("this checkout was installed before the plugin was declared")
    assert found == ["gameday.pytest_plugin"]
