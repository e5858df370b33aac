"""`gameday run` as a user meets it: verdicts as exit codes, what it writes, and what it refuses."""

from __future__ import annotations

import json
import os
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from gameday.runfolder import RUN_FILES
from tests.cli.conftest import LONGEST_S, QUICK, ROOT, Run, Started, command, environment

ONCE = ("--replications", "1", "--jobs", "1", "--no-report")
IMPOSSIBLE = ("--set", "objectives.0.target=<= 1s")
UNJUDGED = ("--set", "objectives.0.kpi=failover.rto")


def test_a_met_gate_is_0_and_the_folder_holds_all_its_files(finished_run: Path) -> None:
    assert {file.name for file in finished_run.iterdir()} == {*RUN_FILES, "replications"}
    record = json.loads((finished_run / "run.json").read_text())
    assert (record["replications"], record["completed"], record["interrupted"]) == (3, 3, False)
    assert record["finished"] is not None
    assert not list(finished_run.rglob("*.tmp"))


@pytest.mark.parametrize(("change", "code", "verdict"), [(IMPOSSIBLE, 1, "not_met"), (UNJUDGED, 3, "inconclusive")])
def test_a_missed_gate_is_1_and_one_without_evidence_3(gameday: Run, change: tuple[str, ...], code: int, verdict: str) -> None:
    ended = gameday("run", QUICK, *ONCE, *change, "--json")
    assert (ended.returncode, ended.stderr) == (code, "")
    assert json.loads(ended.stdout)["verdict"] == verdict


def test_what_json_prints_is_scores_json_and_follows_its_schema(gameday: Run, tmp_path: Path) -> None:
    ended = gameday("run", QUICK, "--replications", 2, "--jobs", 1, "--no-report", "--json", "--out", "run")
    assert ended.stdout == (tmp_path / "run" / "scores.json").read_text(encoding="utf-8")
    schema = json.loads((ROOT / "gameday" / "scores" / "scores.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(json.loads(ended.stdout))


def test_processes_change_nothing_but_the_time_it_takes(gameday: Run, tmp_path: Path) -> None:
    for jobs in (1, 2):
        ended = gameday("run", QUICK, "--replications", 9, "--jobs", jobs, "--no-report", "--out", f"jobs-{jobs}")
        assert ended.returncode == 0
    one, two = tmp_path / "jobs-1", tmp_path / "jobs-2"
    assert json.loads((two / "scores.json").read_text())["replications"] == 9
    written = {path.relative_to(one) for path in one.rglob("*") if path.is_file()}
    assert written == {path.relative_to(two) for path in two.rglob("*") if path.is_file()}
    for name in written - {Path("run.json")}:
        assert (one / name).read_bytes() == (two / name).read_bytes(), name


def test_the_worst_replications_and_the_first_can_be_read(gameday: Run, finished_run: Path) -> None:
    worst = [one["replication"] for one in json.loads((finished_run / "scores.json").read_text())["worst"]]
    assert worst
    for replication in {0, *worst}:
        ended = gameday("timeline", finished_run, "--replication", replication, "--kind", "run.started")
        assert f"replication={replication}" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--replications", "0"], "argument --replications: must be a whole number from 1 to 1000000, not '0'"),
        (["--replications", "1.5"], "argument --replications: must be a whole number from 1 to 1000000, not '1.5'"),
        (["--jobs", "-1"], "argument --jobs: must be a whole number from 1 to 1000000, not '-1'"),
        (["--jobs", "all"], "argument --jobs: must be a whole number from 1 to 1000000, not 'all'"),
        (["--seed", "-1"], "argument --seed: must be a whole number from 0 to 9223372036854775807, not '-1'"),
        (["--seed", "9223372036854775808"], "argument --seed: must be a whole number from 0"),
        (["--seed", "9" * 5000], "argument --seed: must be a whole number from 0"),
        (["--seed", "\u0663"], "argument --seed: must be a whole number from 0"),
        (["--set", "duration"], "--set"),
        (["--set", "duraton=5m"], "--set duraton=5m: duraton: unknown key"),
        (["--set", "duration=5"], "needs a unit"),
        (["--set", "system.services.wbe.slots=3"], "system.services.wbe"),
        (["--out", "file/run"], "cannot create file/run: a part of the path is a file, not a folder"),
        (["--out", "file"], "cannot write the run to file: it is a file, and a run needs a folder"),
        (["--out", "folder"], "cannot write the run to folder: it holds files and is no run folder"),
        (["--out", "folder", "--force"], "cannot write the run to folder: it holds files and is no run folder"),
        (["--out", "/proc/nowhere/run"], "cannot create /proc/nowhere"),
        (["--replicatons", "3"], "unrecognized arguments: --replicatons"),
        (["--repl", "3"], "unrecognized arguments: --rep"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_what_cannot_be_used_is_2_with_a_message_and_writes_nothing(
    gameday: Run, tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "letter").write_text("mine")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    ended = gameday("run", QUICK, *arguments)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert not (tmp_path / "results").exists()


def test_an_older_run_is_written_over_only_with_force(gameday: Run, tmp_path: Path) -> None:
    arguments = ("run", QUICK, *ONCE, "--out", "run")
    assert gameday(*arguments, "--seed", 1).returncode == 0
    refused = gameday(*arguments, "--seed", 2)
    assert refused.returncode == 2
    assert "it holds a run already; name another folder, or use --force" in refused.stderr
    assert json.loads((tmp_path / "run" / "run.json").read_text())["seed"] == 1
    (tmp_path / "run" / "notes.txt").write_text("mine")
    assert gameday(*arguments, "--seed", 2, "--force").returncode == 0
    assert json.loads((tmp_path / "run" / "run.json").read_text())["seed"] == 2
    assert (tmp_path / "run" / "notes.txt").read_text() == "mine"


def test_two_runs_in_the_same_second_get_two_folders(tmp_path: Path) -> None:
    arguments = command("run", QUICK, *ONCE)
    both = [
        subprocess.Popen(arguments, cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    assert [(one.communicate(timeout=LONGEST_S)[1], one.returncode) for one in both] == [(b"", 0), (b"", 0)]
    folders = list((tmp_path / "results").iterdir())
    assert len(folders) == 2
    assert all(json.loads((folder / "run.json").read_text())["completed"] == 1 for folder in folders)


def test_a_disk_that_fills_up_is_one_message_and_leaves_no_half_file(tmp_path: Path) -> None:
    def limit_files_to_8_kib() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

    ended = subprocess.run(
        command("run", QUICK, *ONCE, "--out", "run"),
        cwd=tmp_path,
        env=environment(PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
        preexec_fn=limit_files_to_8_kib,
    )
    assert ended.returncode == 2
    assert "cannot write run/" in ended.stderr
    assert ended.stderr.count("\n") <= 2
    assert "Traceback" not in ended.stderr
    assert not list(tmp_path.rglob("*.tmp"))
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["interrupted"] is True


def test_a_quick_run_says_nothing_on_standard_error(start: Callable[..., Started]) -> None:
    running = start("run", QUICK, *ONCE, "--out", "short")
    code, _, said = running.end()
    assert (code, said) == (0, "")


def test_colours_go_to_terminals_only_and_never_with_no_color(tmp_path: Path, gameday: Run) -> None:
    plain = gameday("run", QUICK, *ONCE, "--out", "plain")
    assert "\x1b" not in plain.stdout + plain.stderr
    assert "\x1b[32m" in on_a_terminal(tmp_path, "colours")
    assert "\x1b" not in on_a_terminal(tmp_path, "none", NO_COLOR="1")


def on_a_terminal(folder: Path, out: str, **changes: str) -> str:
    """What a run shows on a terminal."""
    pty = pytest.importorskip("pty", reason="needs a pseudo-terminal")
    terminal, end = pty.openpty()
    running = subprocess.Popen(
        command("run", QUICK, *ONCE, "--out", out), cwd=folder, env=environment(**changes), stdout=end, stderr=subprocess.STDOUT
    )
    os.close(end)
    shown = b""
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    assert running.wait(LONGEST_S) == 0
    os.close(terminal)
    return shown.decode()


def test_a_run_with_little_time_plays_what_fits_and_says_so(gameday: Run, tmp_path: Path) -> None:
    ended = gameday("run", QUICK, "--replications", 50, "--within", "1us", "--no-report", "--out", "run")
    assert "in the time given, 1 of 50 replications were played" in ended.stdout
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (record["replications"], record["completed"], record["interrupted"]) == (50, 1, False)
    assert gameday("run", QUICK, "--within", "0s").returncode == 2
