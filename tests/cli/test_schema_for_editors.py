"""The JSON Schema that editors use: it never calls a good file bad, and it does find what is plainly wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gameday.scenario.reading import parse_yaml, read_yaml
from gameday.scenario.schema import SHORT_FORMS, schema
from tests.cli.conftest import ROOT, Run

NO_SCENARIOS = ("practices", "studies")
"""Folders of files with a language of their own; the game days that practices are measured on lie one level deeper."""
FILES = [
    *(file for file in sorted((ROOT / "scenarios").rglob("*.yaml")) if file.parent.name not in NO_SCENARIOS),
    *(ROOT / "tests" / "data" / name for name in ("good.yaml", "quick.yaml")),
]


@pytest.fixture(scope="module")
def editor() -> Draft202012Validator:
    return Draft202012Validator(schema())


def complaints(editor: Draft202012Validator, data: Any) -> list[str]:
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in editor.iter_errors(data)]


def test_the_command_prints_the_schema_and_it_is_one(gameday: Run) -> None:
    ended = gameday("schema")
    assert (ended.returncode, ended.stderr) == (0, "")
    printed = json.loads(ended.stdout)
    assert printed == schema()
    assert printed["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(printed)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_file_is_good_as_it_is_written_before_its_includes(editor: Draft202012Validator, file: Path) -> None:
    assert complaints(editor, read_yaml(file).data) == []


@pytest.mark.parametrize(
    "text",
    [
        "system: {services: {web: {slots: 3}}}",
        "system: {services: {web: null, shop: {calls: []}}}",
        "monitoring: {rules: {slow: null, busy: {for: 2m}}}",
        "load: {classes: {a: {rate: {mean: 3/s}, priority: null}}}",
        "policies: {failover: null}",
        "response: null",
        "include: [a.yaml]",
        "system: {services: {web: {service_time: lognormal 3ms cv 0.5}, api: {service_time: {mean: 3ms}}}}",
    ],
)
def test_what_one_of_several_files_may_say_is_good(editor: Draft202012Validator, text: str) -> None:
    assert complaints(editor, parse_yaml(text, "part.yaml").data) == []


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("nam: x", ""),
        ("duration: 5", "duration"),
        ("duration: 5 minutes", "duration"),
        ("system: {services: {web: {slots: many}}}", "system.services.web.slots"),
        ("system: {services: {web: {slotz: 3}}}", "system.services.web"),
        ("monitoring: {rules: {a: {kind: nonsense}}}", "monitoring.rules.a"),
        ("monitoring: {rules: {a: {kind: threshold, fr: 3m}}}", "monitoring.rules.a"),
        ("policies: {failover: {mode: automatc}}", "policies.failover.mode"),
        ("schedule: {faults: [{fault: kill}]}", "schedule.faults.0"),
        ("objectives: [{target: 3}]", "objectives.0"),
        ("gameday: 2", "gameday"),
        ("include: a.yaml", "include"),
    ],
)
def test_what_is_plainly_wrong_is_found_where_it_is(editor: Draft202012Validator, text: str, at: str) -> None:
    found = complaints(editor, parse_yaml(text, "day.yaml").data)
    assert [one.partition(": ")[0] for one in found] == [at]


def test_every_short_form_is_still_a_model() -> None:
    assert set(SHORT_FORMS) <= set(schema()["$defs"])
