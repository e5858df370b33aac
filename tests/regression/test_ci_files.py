"""The files by which CI systems use gameday say what the program takes; their scripts run."""

from __future__ import annotations

import argparse
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from gameday.cli import check
from tests.cli.conftest import ROOT, environment

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))


def script() -> str:
    (step,) = (each for each in ACTION["runs"]["steps"] if each.get("id") == "check")
    return str(step["run"])


def test_the_action_uses_options_that_exist() -> None:
    parser = argparse.ArgumentParser()
    check.add_arguments(parser)
    known = {option for action in parser._actions for option in action.option_strings} | {'--$MODE"'}
    assert set(re.findall(r"--[a-z$][A-Za-z\"]*", script())) <= known


@pytest.mark.parametrize(("mode", "code"), [("quick", 0), ("slow", 2)])
def test_the_script_of_the_action_runs_the_check(tmp_path: Path, mode: str, code: int) -> None:
    program = tmp_path / "gameday" / "bin" / "gameday"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\necho "$@" > arguments\n')
    program.chmod(0o755)
    given = {"PATHS": "a b", "BASELINE": "base lines", "MODE": mode, "TOLERANCE": "5%", "GITHUB_STEP_SUMMARY": "s.md"}
    variables = environment(RUNNER_TEMP=str(tmp_path), GITHUB_OUTPUT=str(tmp_path / "outputs"), **given)
    ended = subprocess.run(["bash", "-e", "-c", script()], cwd=tmp_path, env=variables, capture_output=True, check=False)
    assert ended.returncode == code, ended.stderr
    if code == 0:
        said = (tmp_path / "arguments").read_text()
        assert said.startswith("check a b --baseline base lines --quick --tolerance 5% --junit ")
        assert "junit=" in (tmp_path / "outputs").read_text()


def test_the_hook_validates_scenario_files() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert hook["entry"] == "gameday validate"
    assert re.search(hook["files"], "scenarios/region-loss.yaml")
    assert not re.search(hook["files"], "docs/index.md")
