"""The record of live days against their predictions: kept line by line, read back, and counted."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.agreement_table import Line, append, read, table

LINE = Line(
    scenario="live-x",
    digest="abc",
    version="0.1.0",
    day=1,
    at="2026-11-24T23:00:00+00:00",
    verdict="met",
    load=0.5,
    kind="kpi",
    name="failover.rto",
    n=40,
    p5=10.0,
    p50=20.0,
    p95=30.0,
    observed=25.0,
)


def days(*observed: float) -> list[Line]:
    return [replace(LINE, day=number, observed=value) for number, value in enumerate(observed, 1)]


def test_what_is_written_is_read_back_never_included(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "record.csv"
    lines = [LINE, replace(LINE, kind="stage", name="impact", p50=math.inf, p95=math.inf, observed=math.inf)]
    append(path, lines[:1])
    append(path, lines[1:])
    assert read(path) == lines
    assert path.read_text().count("scenario,digest") == 1


@pytest.mark.parametrize("length", [1, 10, 60])
def test_a_line_that_a_crash_cut_off_is_left_out_and_written_over(tmp_path: Path, length: int) -> None:
    path = tmp_path / "record.csv"
    append(path, [LINE])
    whole = path.read_text()
    path.write_text(whole + whole.splitlines()[1][:length])
    assert read(path) == [LINE]
    append(path, days(1.0, 2.0)[1:])
    assert read(path) == [LINE, replace(LINE, day=2, observed=2.0)]


def test_the_table_counts_what_is_inside_and_how_far_off_the_rest_is() -> None:
    text = table(days(20.0, 25.0, 30.0, 40.0), {"live-x": "abc"})
    # errors of the medians: 0 %, 25 %, 50 %, 100 %
    assert "| live-x | 4 | 75% of 4 | 75% of 4 | 38% | +38% |" in text
    assert "| live-x | `failover.rto` | 4 | 75% of 4 | 38% | +38% |" in text


def test_certain_quantities_count_for_the_whole_but_not_for_those_that_vary() -> None:
    certain = replace(LINE, name="failover.flaps", p5=0.0, p50=0.0, p95=0.0, observed=0.0)
    text = table([*days(99.0), certain], {"live-x": "abc"})
    assert "| live-x | 1 | 50% of 2 | 0% of 1 |" in text
    assert "failover.flaps" not in text, "it cannot miss by chance, so it has no row of its own unless it missed"
    assert "failover.flaps" in table([replace(certain, observed=1.0)], {"live-x": "abc"})


def test_days_of_an_older_wording_and_inconclusive_days_are_told_and_not_counted() -> None:
    older, unclear = replace(LINE, digest="old", day=7), replace(LINE, verdict="inconclusive", day=8)
    text = table([LINE, older, unclear], {"live-x": "abc"})
    assert "| live-x | 1 |" in text
    assert "Left out: 1 days of scenarios as they were, 1 inconclusive days." in text
