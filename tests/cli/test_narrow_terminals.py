"""What is printed on a narrow terminal; into a file or a pipe an event stays one line, which `grep` and `cut` want."""

from __future__ import annotations

import argparse
import io
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from gameday.cli import compare, describe, timeline, traces
from tests.cli.conftest import Run

ROOT = Path(__file__).parents[2]


class _Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def _printed(run_folder: Path, where: io.StringIO) -> list[str]:
    parser = argparse.ArgumentParser()
    timeline.add_arguments(parser)
    with redirect_stdout(where):
        assert timeline.run(parser.parse_args([str(run_folder)])) == 0
    return where.getvalue().splitlines()


def test_an_event_is_folded_on_a_terminal_and_loses_nothing(finished_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    folded, lines = _printed(finished_run, _Screen()), _printed(finished_run, io.StringIO())
    assert max(map(len, folded)) <= 80 < max(map(len, lines))
    assert " ".join(folded).split() == " ".join(lines).split()
    assert not any("{'" in line for line in lines)


@pytest.mark.parametrize(
    ("command", "arguments"),
    [(traces, ["--all"]), (describe, ["--picture", "-"]), (compare, [])],
    ids=["traces", "describe", "compare"],
)
def test_nothing_is_wider_than_a_terminal_of_80_columns(
    command: Any, arguments: list[str], finished_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    paths = {traces: [finished_run], describe: [ROOT / "scenarios" / "github-2018-10-21.yaml"], compare: [finished_run] * 2}
    parser, screen = argparse.ArgumentParser(), _Screen()
    command.add_arguments(parser)
    with redirect_stdout(screen):
        assert command.run(parser.parse_args([*map(str, paths[command]), *arguments])) == 0
    lines = screen.getvalue().splitlines()
    assert len(lines) > 8
    assert [line for line in lines if len(line) > 80] == []


def test_a_filter_that_nothing_passes_says_on_standard_error_what_there_is(gameday: Run, finished_run: Path) -> None:
    without = gameday("timeline", finished_run, "--kind", "clock.*")
    assert (without.returncode, without.stdout) == (0, "")
    assert without.stderr.startswith("no event matches clock.*; kinds in this day: ")
    assert "run.started" in without.stderr
    elsewhere = gameday("timeline", finished_run, "--kind", "run.*", "--subject", "zone/*", "--json")
    assert elsewhere.stdout == ""
    assert "no event matches run.* about zone/*; there are 2 of other subjects: " in elsewhere.stderr
    assert gameday("timeline", finished_run, "--kind", "run.*").stderr == ""
