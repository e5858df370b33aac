"""The pages of the documentation agree with the program and with each other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gameday.cli import COMMANDS, EPILOG
from gameday.reference import SCHEMA_FILE, pages, write_reference
from gameday.scores.kpis import KPIS
from gameday.selectors import KINDS
from gameday.shipped import shipped_names
from tests.docs.fenced import ROOT

REFERENCE = ROOT / "docs" / "reference"
MARKDOWN = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *(ROOT / each / "README.md" for each in ("scenarios", "results", "tests"))]
)
_LINK = re.compile(r"\]\(([^()\s]+)\)")


def anchors(text: str) -> set[str]:
    """The anchors that headings get where Markdown is shown."""
    found = set()
    for heading in re.findall(r"^#+ +(.+?) *$", _without_code(text), flags=re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        found.add(re.sub(r"[^\w\- ]", "", words).replace(" ", "-"))
    return found


def _without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def broken_links(page: Path) -> Iterator[str]:
    """Links to files or headings that are not there."""
    text = page.read_text(encoding="utf-8")
    for link in _LINK.findall(_without_code(text)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            yield link


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    assert list(broken_links(page)) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "a.md"
    page.write_text("# One thing\n[a](b.md) [b](#one-thing) [c](#two) [d](https://example.org)\n", encoding="utf-8")
    assert list(broken_links(page)) == ["b.md", "#two"]


@pytest.mark.parametrize("name", pages())
def test_a_generated_page_is_current(name: str) -> None:
    committed = (REFERENCE / name).read_text(encoding="utf-8")
    assert committed == pages()[name], "run `make docs`"


def test_the_schema_at_the_root_is_current(tmp_path: Path) -> None:
    write_reference(tmp_path / "docs" / "reference")
    assert (ROOT / SCHEMA_FILE).read_bytes() == (tmp_path / SCHEMA_FILE).read_bytes(), "run `make docs`"


def test_the_reference_does_not_depend_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    before = pages()
    monkeypatch.setenv("COLUMNS", "40")
    assert pages() == before


def test_every_kind_of_selector_and_every_kpi_is_in_the_reference() -> None:
    scenario, kpis = pages()["scenario.md"], pages()["kpis.md"]
    assert [kind for kind in KINDS if f"\n| {kind} |" not in scenario] == []
    assert [name for name in KPIS if f"`{name}`" not in kpis] == []


def test_every_shipped_game_day_is_in_the_table_of_the_readme_and_no_other() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Shipped game days")[2].partition("\n## ")[0]
    assert sorted(re.findall(r"^\| `([^`]+)`", text, flags=re.MULTILINE)) == shipped_names()


def test_the_readme_lists_the_commands_as_the_program_does() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert dict(re.findall(r"^\| `gameday (\w+)` \| (.+) \|$", text, flags=re.MULTILINE)) == COMMANDS


def test_the_readme_and_the_program_name_the_same_exit_codes() -> None:
    codes = EPILOG.strip().splitlines()[0].partition("exit codes: ")[2]
    assert codes in " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())


def keys_of(schema: dict[str, Any]) -> set[str]:
    """Every key that a JSON Schema names anywhere."""
    found: set[str] = set()
    waiting: list[Any] = [schema]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            found |= set(each.get("properties", {})) if isinstance(each.get("properties"), dict) else set()
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
    return found


def test_the_page_of_the_run_folder_names_every_key_of_its_files() -> None:
    from dataclasses import fields

    from gameday.runrecord import RunRecord

    text = (REFERENCE / "run-folder.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", text))
    scores = json.loads((ROOT / "gameday" / "scores" / "scores.schema.json").read_text(encoding="utf-8"))
    assert {field.name for field in fields(RunRecord)} - named == set()
    assert keys_of(scores) - named == set()


def test_the_page_of_the_run_folder_names_every_file() -> None:
    from gameday.runfolder import FILES

    text = (REFERENCE / "run-folder.md").read_text(encoding="utf-8")
    assert [file for file in FILES if f"`{file}`" not in text] == []


def test_every_setting_that_the_page_on_people_names_exists_and_none_is_left_out() -> None:
    from gameday.scenario.communication import Communication, StatusPage
    from gameday.scenario.response import Level, Timing

    text = (ROOT / "docs" / "how-to" / "calibrate-people.md").read_text(encoding="utf-8")
    table = text.partition("## What is sourced")[2].partition("\n## ")[0]
    cells = [row.split("|")[1] for row in table.splitlines() if row.startswith("| ")]
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    known = {*Timing.model_fields, *Communication.model_fields, *StatusPage.model_fields, *Level.model_fields}
    assert named - known == set()
    assert set(Timing.model_fields) - {"rounds"} - named == set()


# A short day in which everything happens that is sampled: a primary dies, a breaker opens, a service refuses and drops, a cache and a limiter work.
EVENTFUL_DAY = [
    "duration=150s",
    "warmup=30s",
    "schedule.faults=[kill database/orders/primary at 60s for 30s, errors provider/payments ratio=1 at 60s]",
    "system.services.catalog.slots=1",
    "system.services.catalog.queue=2",
    "system.queues.mails={consumer: catalog}",
    "system.services.catalog.service_time=constant 200ms",
    "system.services.catalog.codel={target: 5ms, interval: 50ms}",
    "system.services.gateway.limiter={limit: 20}",
    "system.services.catalog.calls=[{to: recommendations, required: false, timeout: 10ms, cache: {keys: 50, ttl: 1s, coalesce: true}}]",
    "policies.shedding={enabled: true, services: {catalog: {normal: 50%, best_effort: 20%}}}",
]


def test_the_series_of_an_eventful_day_are_those_that_are_documented() -> None:
    import sim
    from gameday.scenario import read_scenario
    from gameday.series_reference import SERIES

    day = read_scenario(ROOT / "scenarios" / "primary-loss.yaml", EVENTFUL_DAY)
    told = {one.name: sorted(one.labels) for one in sim.run(day, 1, traced=True).series}
    known = {kind.name: sorted(kind.labels) for kind in SERIES}
    assert {name: labels for name, labels in told.items() if known.get(name) != labels} == {}
    # What is told of services, databases, providers and queues alike need not happen to each of them on one day.
    assert _alike(known) - _alike(told) == set()
    assert {
        kind.name for kind in SERIES if kind.name not in told and "." + kind.name.partition(".")[2] not in _alike(told)
    } == set()


def _alike(names: Iterable[str]) -> set[str]:
    return {"." + name.partition(".")[2] for name in names}
