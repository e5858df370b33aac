"""The stream of the load generator: what is written is what is read, windows are differences, workers are added up."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.load_stream import Counts, LoadStream, bucket_of, bucket_upper_s, line_of


@settings(deadline=None)
@given(st.floats(0.0, 1000.0))
def test_a_latency_lies_in_its_bucket(latency_s: float) -> None:
    bucket = bucket_of(latency_s)
    assert latency_s <= bucket_upper_s(bucket) * (1 + 1e-9)
    assert bucket == 0 or latency_s > bucket_upper_s(bucket - 1) * (1 - 1e-9)


def stream_of(folder: Path, *workers: list[tuple[int, int, int]]) -> LoadStream:
    """One file a worker: (second, good, lost)."""
    for number, seconds in enumerate(workers):
        with (folder / f"load-{number}.jsonl").open("w") as file:
            for t, good, lost in seconds:
                counts = Counts(good + lost, good, lost=Counter({"timeout": lost}), latency=Counter({bucket_of(0.01 * t): good}))
                file.write(line_of(t, {("buy", "home"): counts}))
    stream = LoadStream(folder)
    stream.read()
    return stream


def test_a_window_is_the_difference_of_two_seconds(tmp_path: Path) -> None:
    stream = stream_of(tmp_path, [(1, 10, 0), (2, 8, 2), (3, 0, 10), (4, 10, 0)])
    assert stream.answered("buy", 2.0, 3.0) == (20, 8, 12)
    assert stream.answered("buy", 3.0, 3.0) == (30, 18, 12)
    assert stream.answered("other", 3.0, 3.0) == (0, 0, 0)


def test_workers_are_added_up_and_a_second_counts_when_all_have_reported_it(tmp_path: Path) -> None:
    stream = stream_of(tmp_path, [(1, 1, 0), (2, 1, 0)], [(1, 2, 0)])
    assert stream.complete_until == 1
    assert stream.answered("buy", 9.0, 2.0) == (3, 3, 0)


def test_half_a_line_is_read_when_it_is_whole(tmp_path: Path) -> None:
    line = line_of(1, {("buy", "home"): Counts(3, 3)})
    path = tmp_path / "load-1.jsonl"
    path.write_text(line[:20])
    stream = LoadStream(tmp_path)
    assert not stream.read()
    path.write_text(line)
    assert stream.read()
    assert stream.total().good == 3


def test_a_quantile_is_that_of_the_answers_in_the_window(tmp_path: Path) -> None:
    stream = stream_of(tmp_path, [(t, 10, 0) for t in range(1, 11)])
    middle = stream.latency("buy", 0.5, 10.0, 10.0)
    assert middle is not None
    assert 0.05 <= middle <= 0.05 * 1.09 * 1.01
    assert stream.latency("buy", 0.5, 10.0, 30.0) is None
