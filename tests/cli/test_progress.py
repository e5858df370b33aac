"""The progress line: silent for two seconds, rewritten on a terminal, now and then elsewhere, and never a reason to stop."""

from __future__ import annotations

import io
import itertools

import pytest

from gameday import progress
from gameday.progress import Progress


class Clock:
    """Time that passes when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(progress.time, "monotonic", lambda: self.now)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def play(shown: Progress, clock: Clock, steps: int, seconds: float) -> None:
    for _ in range(steps):
        clock.now += seconds
        shown.step()


def test_nothing_is_said_in_the_first_two_seconds(clock: Clock) -> None:
    stream = Terminal()
    shown = Progress(stream, 19, "replications")
    play(shown, clock, 19, 0.1)
    shown.close()
    assert stream.getvalue() == ""


def test_a_terminal_gets_one_line_that_is_rewritten_and_cleared(clock: Clock) -> None:
    stream = Terminal()
    shown = Progress(stream, 100, "replications")
    play(shown, clock, 30, 0.1)
    assert "/100 replications, 10/s, 8s left" in stream.getvalue()
    shown.close()
    assert "\n" not in stream.getvalue()
    assert "\x1b" not in stream.getvalue()
    *_, cleared, rest = stream.getvalue().split("\r")
    assert (cleared.strip(), rest) == ("", "")
    assert len(cleared) >= len("28/100 replications, 10/s, 7s left")


def test_a_shorter_text_covers_a_longer_one(clock: Clock) -> None:
    stream = Terminal()
    shown = Progress(stream, 1000, "replications")
    play(shown, clock, 999, 1.0)
    texts = stream.getvalue().split("\r")[1:]
    assert len(texts) > 900
    assert all(len(after) >= len(before.rstrip()) for before, after in itertools.pairwise(texts))


def test_a_file_gets_a_line_every_fifteen_seconds(clock: Clock) -> None:
    stream = io.StringIO()
    shown = Progress(stream, 1000, "replications")
    play(shown, clock, 60, 1.0)
    shown.close()
    lines = stream.getvalue().splitlines()
    assert lines == [
        f"{n}/1000 replications, 1/s, {left} left" for n, left in ((15, "16m25s"), (30, "16m10s"), (45, "15m55s"), (60, "15m40s"))
    ]


def test_a_terminal_that_has_gone_does_not_end_the_run(clock: Clock) -> None:
    class Gone(Terminal):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    shown = Progress(Gone(), 10, "replications")
    play(shown, clock, 10, 1.0)
    shown.close()


def test_what_is_finished_needs_no_progress(clock: Clock) -> None:
    stream = io.StringIO()
    play(Progress(stream, 1, "replications"), clock, 1, 60.0)
    assert stream.getvalue() == ""


def test_a_run_with_little_time_has_no_more_left_than_it_was_given(clock: Clock) -> None:
    stream = Terminal()
    play(Progress(stream, 1000, "replications", within_s=20.0), clock, 5, 1.0)
    assert stream.getvalue().endswith("1/s, 15s left")
