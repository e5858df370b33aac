"""What is printed on a narrow terminal; into a file or a pipe an event stays one line, which `grep` and `cut` want."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pytest

from gameday.cli import timeline


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> pytest.CaptureFixture[str]:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    return capsys


def test_an_event_is_folded_on_a_terminal_and_loses_nothing(
    finished_run: Path, narrow: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    parser = argparse.ArgumentParser()
    timeline.add_arguments(parser)
    arguments = parser.parse_args([str(finished_run)])
    assert timeline.run(arguments) == 0
    folded = narrow.readouterr().out
    assert max(map(len, folded.splitlines())) <= 80
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False, raising=False)
    assert timeline.run(arguments) == 0
    lines = narrow.readouterr().out
    assert folded.split() == lines.split()
    assert max(map(len, lines.splitlines())) > 80
    assert "{'" not in lines
