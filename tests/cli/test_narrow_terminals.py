"""What is printed on a narrow terminal; into a file or a pipe an event stays one line, which `grep` and `cut` want."""

from __future__ import annotations

import argparse
import io
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from gameday.cli import timeline


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
