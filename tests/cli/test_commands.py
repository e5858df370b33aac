"""The commands around `run`: what they print, what they write, what they refuse, and that no reader makes them crash."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from gameday.cli import COMMANDS
from gameday.shipped import shipped_names
from tests.cli.conftest import LONGEST_S, QUICK, ROOT, Run, command, environment

QUICKLY = ("--replications", "1", "--jobs", "1", "--no-report", "--set", "duration=3m", "--set", "schedule.faults=[]")


def test_help_names_every_command_and_exit_code(gameday: Run) -> None:
    ended = gameday("--help")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert all(f"\n    {name} " in ended.stdout for name in COMMANDS)
    assert "exit codes: 0 objectives met, 1 not met, 2 bad input, 3 inconclusive" in ended.stdout
    for name in COMMANDS:
        assert gameday(name, "--help").returncode == 0


def test_a_command_that_does_not_exist_is_2_and_names_the_nearest(gameday: Run) -> None:
    ended = gameday("rum", QUICK)
    assert ended.returncode == 2
    assert "there is no command 'rum'; did you mean 'run'?" in ended.stderr


# -- new ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", shipped_names())
def test_a_new_game_day_of_every_shipped_one_stands_alone(gameday: Run, tmp_path: Path, model: str) -> None:
    ended = gameday("new", "mine", "--from", model)
    assert (ended.returncode, ended.stderr) == (0, "")
    *wrote, last = ended.stdout.splitlines()
    assert last == "next: gameday run mine.yaml"
    files = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    assert {Path(line.removeprefix("wrote ")) for line in wrote} == files
    assert (
        (tmp_path / "mine.yaml")
        .read_text()
        .startswith("# yaml-language-server: $schema=gameday.schema.json\ngameday: 1\nname: mine\n")
    )
    for file in files - {Path("mine.yaml")}:
        if file.suffix == ".yaml":
            assert f"$schema={os.path.relpath('gameday.schema.json', file.parent)}\n" in (tmp_path / file).read_text()
    checked = gameday("validate", ".", "--json")
    assert (checked.returncode, json.loads(checked.stdout)["problems"]) == (0, 0)


def test_a_new_game_day_runs_in_an_empty_folder(gameday: Run, tmp_path: Path) -> None:
    assert gameday("new", "mine", "--from", "primary-loss", "--dir", "a/b").returncode == 0
    ended = gameday("run", "a/b/mine.yaml", *QUICKLY, "--json")
    assert ended.stderr == ""
    assert json.loads(ended.stdout)["scenario"] == "mine"
    assert [folder.name.startswith("mine-") for folder in (tmp_path / "results").iterdir()] == [True]


def test_a_name_that_yaml_would_read_as_a_number_is_quoted(gameday: Run) -> None:
    for name in ("007", "null"):
        assert gameday("new", name, "--from", "primary-loss").returncode == 0
        assert gameday("validate", f"{name}.yaml").returncode == 0


def test_new_overwrites_nothing_and_keeps_parts_that_are_there(gameday: Run, tmp_path: Path) -> None:
    (tmp_path / "systems").mkdir()
    (tmp_path / "systems" / "shop.yaml").write_text("mine")
    assert gameday("new", "a", "--from", "primary-loss").returncode == 0
    assert (tmp_path / "systems" / "shop.yaml").read_text() == "mine"
    again = gameday("new", "a", "--from", "zone-loss")
    assert again.returncode == 2
    assert again.stderr == "a.yaml: is there already; choose another name or folder\n"
    assert "primary" in (tmp_path / "a.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["A b"], "a name is lower case letters"),
        (["../a"], "a name is lower case letters"),
        (["a", "--from", "primary-los"], "did you mean 'primary-loss'?"),
        (["a", "--from", "../x"], "is not a shipped scenario"),
        (["a", "--dir", "file/x"], "cannot create file/x: a part of the path is a file, not a folder"),
    ],
)
def test_new_says_what_it_cannot_do_and_writes_nothing(gameday: Run, tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "file").write_text("")
    ended = gameday("new", *arguments)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_list_shows_every_shipped_game_day_with_its_title(gameday: Run, tmp_path: Path) -> None:
    lines = gameday("new", "--list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == shipped_names()
    assert all(len(line.split(maxsplit=1)[1]) > 10 for line in lines)
    assert list(tmp_path.iterdir()) == []


# -- validate -----------------------------------------------------------------------------------------------------------


def test_validate_tells_scenarios_from_parts_and_finds_nothing_in_what_is_shipped(gameday: Run) -> None:
    ended = gameday("validate", ROOT / "scenarios", "--json")
    assert (ended.returncode, ended.stderr) == (0, "")
    found = json.loads(ended.stdout)
    assert (found["schema"], found["problems"]) == (1, 0)
    kinds = {Path(one["file"]).relative_to(ROOT / "scenarios"): one["kind"] for one in found["files"]}
    scenarios = {path for path, kind in kinds.items() if kind == "scenario" and path.parent.name != "bases"}
    assert scenarios == {Path(f"{name}.yaml") for name in shipped_names()}
    assert {kind for path, kind in kinds.items() if path.parent.name in {"systems", "teams", "loads"}} == {"part"}
    assert {kind for path, kind in kinds.items() if path.parent.name == "practices"} == {"practice"}


def test_validate_counts_in_english(gameday: Run, tmp_path: Path) -> None:
    assert gameday("validate", QUICK).stderr == "1 file, no problems\n"
    (tmp_path / "a.yaml").write_text("gameday: 1\nnam: x\n")
    ended = gameday("validate", QUICK, "a.yaml")
    assert ended.returncode == 2
    assert ended.stdout.startswith("a.yaml:")
    assert ended.stderr.endswith(" in 1 of 2 files\n")


def test_a_part_may_hold_single_settings_and_is_told_how_they_are_written(gameday: Run, tmp_path: Path) -> None:
    part = tmp_path / "part.yaml"
    part.write_text("duration: 70m\nwarmup: 2m\nresponse: {people: {ana: {}}}\n")
    assert gameday("validate", str(part)).returncode == 0
    part.write_text("duration: seventy minutes\nreplications: none\n")
    result = gameday("validate", str(part))
    assert result.returncode == 2
    assert "part.yaml:1:11: duration: " in result.stdout
    assert "(read 'seventy minutes')" in result.stdout
    assert "part.yaml:2:15: replications: " in result.stdout


def test_a_problem_in_a_part_is_told_once_with_its_own_line(gameday: Run, tmp_path: Path) -> None:
    (tmp_path / "part.yaml").write_text("load:\n  classes:\n    a: {entry: web, rate: 5}\n")
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(f"include: [part.yaml]\n{QUICK.read_text()}")
    ended = gameday("validate", ".", "--json")
    problems = [problem for file in json.loads(ended.stdout)["files"] for problem in file["problems"]]
    assert [(one["file"], one["line"], one["field"]) for one in problems] == [("part.yaml", 3, "load.classes.a.rate")]


# -- timeline, report, compare ------------------------------------------------------------------------------------------


def test_timeline_filters_by_kind_and_subject(gameday: Run, finished_run: Path) -> None:
    everything = gameday("timeline", finished_run, "--json").stdout.splitlines()
    faults = gameday("timeline", finished_run, "--json", "--kind", "fault.*", "--kind", "run.ended").stdout.splitlines()
    assert [json.loads(line)["kind"] for line in faults] == ["fault.injected", "fault.healed", "run.ended"]
    assert set(faults) < set(everything)
    classes = gameday("timeline", finished_run, "--json", "--subject", "class/*").stdout.splitlines()
    assert classes
    assert all(json.loads(line)["subject"].startswith("class/") for line in classes)
    text = gameday("timeline", finished_run, "--kind", "fault.injected").stdout
    assert text.split()[:3] == ["1m", "fault.injected", "fault/0"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--kind", "fault.injectd"], "--kind: fits no kind of event (read 'fault.injectd'); did you mean 'fault.injected'?"),
        (["--replication", "999"], "--replication: was not kept; there are 0"),
        (["--replication", "-1"], "argument --replication: must be a whole number from 0"),
        (["--replication", "one"], "argument --replication: must be a whole number from 0"),
    ],
)
def test_timeline_says_what_is_not_there(gameday: Run, finished_run: Path, arguments: list[str], said: str) -> None:
    ended = gameday("timeline", finished_run, *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in ended.stderr


def test_report_makes_the_same_reports_again(gameday: Run, finished_run: Path) -> None:
    names = ("report.html", "report.md", "junit.xml")
    before = [(finished_run / name).read_bytes() for name in names]
    ended = gameday("report", finished_run)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert [line.removeprefix(f"wrote {finished_run}/") for line in ended.stdout.splitlines()] == list(names)
    assert [(finished_run / name).read_bytes() for name in names] == before


@pytest.mark.parametrize("name", ["timeline", "report"])
def test_what_is_no_run_is_refused_by_name(gameday: Run, tmp_path: Path, finished_run: Path, name: str) -> None:
    assert gameday(name, "nowhere").stderr == "nowhere: does not exist\n"
    (tmp_path / "empty").mkdir()
    assert "empty: is no run folder: it lacks run.json" in gameday(name, "empty").stderr
    assert "is a file, not a run folder" in gameday(name, finished_run / "run.json").stderr
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{")
    ended = gameday(name, "broken")
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


def test_compare_sets_two_runs_side_by_side(gameday: Run, tmp_path: Path, finished_run: Path) -> None:
    ended = gameday(
        "run", QUICK, "--replications", 3, "--jobs", 1, "--no-report", "--out", "after", "--set", "schedule.faults=[]"
    )
    assert ended.returncode in {0, 1, 3}
    ended = gameday("compare", finished_run, "after", "--json", "--html", "page.html", "--markdown", "page.md")
    assert (ended.returncode, ended.stderr) == (0, "")
    found = json.loads(ended.stdout)
    assert found["schema"] == 1
    assert "<html" in (tmp_path / "page.html").read_text()
    assert {one["kpi"]: one["verdict"] for one in found["changes"]}["cost.lost_revenue"] == "better"
    assert (tmp_path / "page.md").read_text().startswith("# run and after\n")
    assert "cost.lost_revenue" in gameday("compare", finished_run, "after").stdout
    refused = gameday("compare", finished_run, "nowhere")
    assert (refused.returncode, refused.stderr) == (2, "nowhere: does not exist\n")
    refused = gameday("compare", finished_run, "after", "--html", "no/such/page.html")
    assert refused.returncode == 2
    assert "cannot write no/such/page.html" in refused.stderr


# -- describe, schema ---------------------------------------------------------------------------------------------------


def test_describe_prints_json_and_draws_only_when_it_prints_text(gameday: Run, tmp_path: Path) -> None:
    ended = gameday("describe", QUICK, "--json")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert json.loads(ended.stdout)
    assert list(tmp_path.iterdir()) == []
    assert gameday("describe", QUICK, "--picture", "-").returncode == 0
    assert list(tmp_path.iterdir()) == []
    ended = gameday("describe", QUICK)
    assert ended.stdout.endswith("system graph: quick.svg\n")
    assert [path.name for path in tmp_path.iterdir()] == ["quick.svg"]
    assert ET.parse(tmp_path / "quick.svg").getroot().tag.endswith("svg")


def test_a_picture_that_cannot_be_written_leaves_the_old_one(gameday: Run, tmp_path: Path) -> None:
    ended = gameday("describe", QUICK, "--picture", "no/such/picture.svg")
    assert ended.returncode == 2
    assert "cannot write no/such/picture.svg" in ended.stderr
    (tmp_path / "old.svg").write_text("old")
    limited = subprocess.run(
        ["/bin/sh", "-c", 'ulimit -f 1; exec "$@"', "sh", *command("describe", QUICK, "--picture", "old.svg")],
        cwd=tmp_path,
        env=environment(PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert limited.returncode == 2
    assert "cannot write old.svg: the file would be larger than allowed" in limited.stderr
    assert (tmp_path / "old.svg").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["old.svg"]


# -- standard output ----------------------------------------------------------------------------------------------------


def in_a_shell(script: str, folder: Path, *arguments: object, **changes: str) -> subprocess.CompletedProcess[str]:
    """A command in a shell script, as `"$@"`."""
    return subprocess.run(
        ["/bin/bash", "-c", script, "bash", *command(*arguments)],
        cwd=folder,
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path, finished_run: Path) -> None:
    for arguments in (["schema"], ["timeline", finished_run], ["validate", ROOT / "scenarios", "--json"], ["--help"]):
        ended = in_a_shell('set -o pipefail; "$@" | head -c 1 > /dev/null', tmp_path, *arguments)
        assert (ended.returncode, ended.stderr) == (0, "")


def test_the_verdict_reaches_the_shell_when_the_reader_has_gone(tmp_path: Path) -> None:
    missed = ("run", QUICK, "--replications", 1, "--jobs", 1, "--no-report", "--set", "objectives.0.target=<= 1s", "--json")
    ended = in_a_shell('set -o pipefail; "$@" | true', tmp_path, *missed)
    assert (ended.returncode, ended.stderr) == (1, "")


def test_a_full_standard_output_is_one_message(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    for arguments in (["schema"], ["new", "--list"]):
        ended = in_a_shell('"$@" > /dev/full', tmp_path, *arguments)
        assert (ended.returncode, ended.stderr) == (2, "cannot write standard output: the disk is full\n")


def test_closed_streams_and_poor_encodings_are_no_error(tmp_path: Path) -> None:
    assert in_a_shell('"$@" >&- 2>&-', tmp_path, "run", QUICK, *QUICKLY).returncode in {0, 1, 3}
    ended = in_a_shell('"$@"', tmp_path, "run", QUICK, *QUICKLY, PYTHONIOENCODING="ascii")
    assert ended.returncode in {0, 1, 3}
    assert ended.stderr == ""
    assert ended.stdout.isascii()
