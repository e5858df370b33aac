"""Every page with examples is executed from its first block to its last, each page in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.fenced import ROOT, blocks, edit, execute, is_executable

PAGES = [
    page
    for page in sorted((ROOT / "docs").rglob("*.md"))
    if page.parent.name != "reference" and is_executable(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_shows_is_what_happens(page: Path, tmp_path: Path) -> None:
    assert execute(page, tmp_path) > 0


def test_the_tutorial_ends_with_the_file_beside_it(tmp_path: Path) -> None:
    page = ROOT / "docs" / "tutorial" / "first-game-day.md"
    started = (ROOT / "scenarios" / "primary-loss.yaml").read_text(encoding="utf-8")
    mine = tmp_path / "my-day.yaml"
    mine.write_text(started.replace("name: primary-loss", "name: my-day"), encoding="utf-8")
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.language == "diff":
            edit(block, "tutorial", tmp_path)
    ours = page.parent / "my-day.yaml"
    # The first line says where the schema is, which depends on the folder.
    assert mine.read_text(encoding="utf-8").splitlines()[1:] == ours.read_text(encoding="utf-8").splitlines()[1:]


def test_the_tutorial_is_among_the_pages_that_are_executed() -> None:
    assert ROOT / "docs" / "tutorial" / "first-game-day.md" in PAGES
