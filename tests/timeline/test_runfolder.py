"""Run folders: where things lie, that nothing is overwritten or half-written, and that errors say what to do."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from gameday.errors import BadInput, GamedayError
from gameday.runfolder import RUN_FILES, RunFolder
from gameday.runrecord import RunRecord, installed_versions

STARTED = datetime(2025, 3, 1, 12, 30, 5, tzinfo=UTC)


def record(**changes: object) -> RunRecord:
    base = RunRecord(
        scenario="zone-loss",
        scenario_sha256="0" * 64,
        seed=7,
        replications=30,
        completed=12,
        interrupted=True,
        versions={"gameday": "0.1.0", "python": "3.11.7"},
        arguments=("run", "zone-loss.yaml"),
        started="2025-03-01T12:30:05+00:00",
        finished="2025-03-01T12:31:00+00:00",
        timeline_sha256="f" * 64,
    )
    return dataclasses.replace(base, **changes)  # type: ignore[arg-type]


def complete(path: Path) -> RunFolder:
    path.mkdir(parents=True, exist_ok=True)
    folder = RunFolder(path)
    folder.write_record(record())
    folder.write_text(folder.scenario, "gameday: 1\n")
    folder.write_text(folder.timeline, '{"timeline":1}\n')
    return folder


def test_a_folder_is_named_after_scenario_time_in_utc_and_seed(tmp_path: Path) -> None:
    elsewhere = STARTED.astimezone(timezone(timedelta(hours=-11)))
    folder = RunFolder.create(tmp_path / "deep" / "results", "zone-loss", 7, elsewhere)
    assert folder.path == tmp_path / "deep" / "results" / "zone-loss-20250301-123005-s7"
    assert folder.path.is_dir()


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    names = [RunFolder.create(tmp_path, "x", 1, STARTED).path.name for _ in range(3)]
    assert names == ["x-20250301-123005-s1", "x-20250301-123005-s1-2", "x-20250301-123005-s1-3"]


@pytest.mark.parametrize(("name", "expected"), [("../../etc", "etc"), ("a b/c:d", "a-b-c-d"), ("..", "run"), ("日本", "run")])
def test_a_scenario_name_cannot_lead_out_of_the_results(tmp_path: Path, name: str, expected: str) -> None:
    folder = RunFolder.create(tmp_path, name, 1, STARTED)
    assert folder.path == tmp_path / f"{expected}-20250301-123005-s1"


def test_a_wall_time_without_offset_is_a_bug(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="offset"):
        RunFolder.create(tmp_path, "x", 1, STARTED.replace(tzinfo=None))


@pytest.mark.parametrize("is_there", [True, False])
def test_out_may_be_new_or_empty(tmp_path: Path, *, is_there: bool) -> None:
    out = tmp_path / "a" / "b"
    if is_there:
        out.mkdir(parents=True)
    assert RunFolder.create(tmp_path, "x", 1, STARTED, out).path == out
    assert out.is_dir()


@pytest.mark.parametrize("force", [True, False])
def test_a_folder_of_somebody_else_is_never_written_over(tmp_path: Path, *, force: bool) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    (tmp_path / "run.json").write_text('{"jobs": []}')
    with pytest.raises(GamedayError, match="is no run folder"):
        RunFolder.create(tmp_path, "x", 1, STARTED, tmp_path, force=force)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["run.json", "thesis.txt"]


def test_a_run_is_written_over_only_with_force_and_then_nothing_of_it_stays(tmp_path: Path) -> None:
    old = complete(tmp_path / "run")
    old.write_text(old.report_html, "old report")
    old.write_text(old.timeline_of(3), "old timeline")
    (old.path / "my-remarks.txt").write_text("mine")
    with pytest.raises(GamedayError, match="--force"):
        RunFolder.create(tmp_path, "x", 1, STARTED, old.path)
    assert old.report_html.read_text() == "old report"
    new = RunFolder.create(tmp_path, "x", 1, STARTED, old.path, force=True)
    left = [file.name for file in new.path.rglob("*") if file.is_file()]
    assert left == ["my-remarks.txt"]


def test_out_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(GamedayError, match="it is a file"):
        RunFolder.create(tmp_path, "x", 1, STARTED, tmp_path / "file")
    with pytest.raises(GamedayError, match="a part of the path is a file"):
        RunFolder.create(tmp_path, "x", 1, STARTED, tmp_path / "file" / "below")
    with pytest.raises(GamedayError, match="cannot create"):
        RunFolder.create(tmp_path / "file", "x", 1, STARTED)


def test_a_folder_that_stayed_empty_can_be_taken_away_and_another_cannot(tmp_path: Path) -> None:
    empty, full = RunFolder.create(tmp_path, "x", 1, STARTED), complete(tmp_path / "full")
    empty.remove_if_empty()
    full.remove_if_empty()
    assert (empty.path.exists(), full.path.exists()) == (False, True)


def test_the_layout_is_the_documented_one(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    paths = [
        folder.run,
        folder.scenario,
        folder.timeline,
        folder.series,
        folder.traces,
        folder.scores,
        folder.replications,
        folder.report_html,
        folder.report_md,
        folder.junit,
    ]
    assert tuple(path.relative_to(tmp_path).as_posix() for path in paths) == RUN_FILES
    assert folder.timeline_of(0) == folder.timeline
    assert folder.timeline_of(12) == tmp_path / "replications" / "12" / "timeline.jsonl"
    with pytest.raises(GamedayError, match="no -1"):
        folder.timeline_of(-1)


def test_replications_that_were_kept_are_listed_by_number(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for replication in (10, 9, 2):
        folder.write_text(folder.timeline_of(replication), "x")
    (tmp_path / "replications" / "notes").mkdir()
    assert folder.replications_kept() == [2, 9, 10]


def test_a_complete_folder_opens(tmp_path: Path) -> None:
    path = complete(tmp_path / "run").path
    assert RunFolder.open(path).read_record() == record()


def test_opening_names_what_is_missing(tmp_path: Path) -> None:
    folder = complete(tmp_path / "run")
    folder.timeline.unlink()
    folder.scenario.unlink()
    with pytest.raises(BadInput) as refusal:
        RunFolder.open(folder.path)
    assert [problem.message for problem in refusal.value.problems] == ["lacks scenario.yaml", "lacks timeline.jsonl"]
    assert RunFolder.open(folder.path, needs=()) == folder
    with pytest.raises(BadInput, match=r"lacks scores.json"):
        RunFolder.open(folder.path, needs=("scores.json",))


def test_opening_what_is_no_run_folder_says_so(tmp_path: Path) -> None:
    complete(tmp_path / "zone-loss-1")
    (tmp_path / "file").write_text("x")
    (tmp_path / "photos").mkdir()
    with pytest.raises(BadInput, match=r"does not exist; did you mean '.*zone-loss-1'"):
        RunFolder.open(tmp_path / "zone-lost-1")
    with pytest.raises(BadInput, match="is a file, not a run folder"):
        RunFolder.open(tmp_path / "file")
    with pytest.raises(BadInput, match=r"is no run folder: it lacks run.json, scenario.yaml, timeline.jsonl"):
        RunFolder.open(tmp_path / "photos")


def test_a_record_comes_back_as_it_was_written() -> None:
    running = record(finished=None, timeline_sha256=None, completed=0)
    for one in (record(), running):
        assert RunRecord.from_json(one.to_json(), "run.json") == one
    assert json.loads(record().to_json())["schema"] == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("schema", 2),
        ("scenario", ""),
        ("scenario_sha256", "abc"),
        ("seed", True),
        ("seed", "7"),
        ("replications", -1),
        ("completed", 31),
        ("interrupted", 0),
        ("versions", []),
        ("arguments", "run"),
        ("started", "2025-03-01T12:30:05"),
        ("started", 5),
        ("finished", "yesterday"),
        ("timeline_sha256", "g" * 64),
    ],
)
def test_a_wrong_field_of_a_record_is_named(field: str, value: object) -> None:
    content = json.dumps({**json.loads(record().to_json()), field: value})
    with pytest.raises(BadInput) as refusal:
        RunRecord.from_json(content, "run.json")
    assert [problem.field for problem in refusal.value.problems] == [field]


def test_all_problems_of_a_record_are_named_at_once() -> None:
    content = json.loads(record().to_json())
    del content["seed"]
    content.update(scenari="x", started="")
    with pytest.raises(BadInput) as refusal:
        RunRecord.from_json(json.dumps(content), "run.json")
    assert sorted(problem.field for problem in refusal.value.problems) == ["scenari", "seed", "started"]
    assert "did you mean 'scenario'" in str(refusal.value)


@pytest.mark.parametrize("content", ["", "[1]", "{", "[" * 100_000, '"x"'])
def test_a_record_that_is_no_json_object_is_refused(content: str) -> None:
    with pytest.raises(BadInput, match=r"run\.json"):
        RunRecord.from_json(content, "run.json")


def test_the_versions_are_those_of_what_runs() -> None:
    versions = installed_versions()
    assert list(versions) == ["gameday", "python", "numpy", "simpy"]
    assert versions["numpy"] == np.__version__


@pytest.mark.parametrize(
    ("code", "words"),
    [(errno.ENOSPC, "the disk is full"), (errno.EACCES, "permission is denied"), (errno.EIO, "Input/output error")],
)
def test_when_the_system_refuses_the_old_content_stays_and_the_error_is_clear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    folder = RunFolder(tmp_path)
    folder.write_text(folder.scores, "old")

    def refuse(handle: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(GamedayError, match=rf"cannot write .*scores.json: {words}"):
        folder.write_text(folder.scores, "new")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("scores.json", "old")]


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, seen = RunFolder(tmp_path), list[tuple[str, str]]()
    real = os.fsync

    def watch(handle: int) -> None:
        seen.extend((file.name, file.read_text()) for file in tmp_path.iterdir())
        real(handle)

    monkeypatch.setattr(os, "fsync", watch)
    folder.write_text(folder.scores, "whole")
    (temporary, content), (final, _) = seen
    assert temporary != "scores.json"
    assert (content, final) == ("whole", "scores.json")


def test_json_without_a_value_for_nan_is_a_bug(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write_json(folder.scores, {"b": 1, "a": "ü"})
    assert folder.scores.read_text(encoding="utf-8") == '{\n  "b": 1,\n  "a": "ü"\n}\n'
    with pytest.raises(ValueError, match="JSON"):
        folder.write_json(folder.scores, {"a": float("nan")})


def test_a_folder_writes_only_into_itself(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="is not in"):
        RunFolder(tmp_path / "run").write_text(tmp_path / "elsewhere", "x")
