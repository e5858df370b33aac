"""`gameday traces`: stories of single requests, as text, JSON Lines and OTLP."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run


def test_slow_and_lost_requests_are_told_attempt_by_attempt(gameday: Run, finished_run: Path) -> None:
    ended = gameday("traces", finished_run)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "visits: answered after" in ended.stdout
    assert "visits: died in REFUSED at web@eu-1" in ended.stdout
    assert "traces; --all shows every one" in ended.stdout
    lost = gameday("traces", finished_run, "--lost", "--all").stdout
    assert "died in REFUSED" in lost
    assert "answered after" not in lost


def test_the_slowest_come_first_and_otlp_and_json_hold_the_same(gameday: Run, finished_run: Path) -> None:
    traces = [json.loads(line) for line in gameday("traces", finished_run, "--slowest", 3, "--json").stdout.splitlines()]
    took = [trace["ended"] - trace["began"] for trace in traces]
    assert took == sorted(took, reverse=True)
    assert len(took) == 3
    data = json.loads(gameday("traces", finished_run, "--slowest", 3, "--otlp").stdout)
    spans = [span for each in data["resourceSpans"] for span in each["scopeSpans"][0]["spans"]]
    assert len({span["traceId"] for span in spans}) == 3
    starts_s = min(int(span["startTimeUnixNano"]) for span in spans) / 1e9
    assert 1_773_306_000 <= starts_s <= 1_773_306_240  # 2026-03-12T10:00:00+01:00, and four minutes


def test_what_cannot_be_shown_is_said_in_a_line(gameday: Run, finished_run: Path, tmp_path: Path) -> None:
    wrong = gameday("traces", finished_run, "--class", "visit")
    assert wrong.returncode == 2
    assert "did you mean 'visits'" in wrong.stderr
    copy = tmp_path / "old"
    copy.mkdir()
    for name in ("run.json", "scenario.yaml", "timeline.jsonl"):
        (copy / name).write_bytes((finished_run / name).read_bytes())
    assert gameday("traces", copy).stderr.strip() == f"{copy}: lacks traces.jsonl"
    (copy / "traces.jsonl").write_text("{}\n")
    broken = gameday("traces", copy)
    assert (broken.returncode, "traces.jsonl:1" in broken.stderr) == (2, True)
