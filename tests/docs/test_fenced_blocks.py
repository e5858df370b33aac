"""The runner of the documentation's examples finds what is wrong with a page: it would be worth nothing if it could not fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.fenced import PageIsWrong, execute, matches


def page(folder: Path, text: str) -> Path:
    """A page in a folder of its own."""
    file = folder / "page.md"
    file.write_text(text, encoding="utf-8")
    return file


def test_an_example_that_prints_what_the_page_says_passes(tmp_path: Path) -> None:
    assert execute(page(tmp_path, "```console\n$ echo one; echo two\none\ntwo\n```\n"), tmp_path) == 1


def test_an_example_that_prints_something_else_fails_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(PageIsWrong, match=r"page\.md:3: \$ echo one"):
        execute(page(tmp_path, "text\n\n```console\n$ echo one\ntwo\n```\n"), tmp_path)


def test_a_command_that_fails_fails_the_page_even_when_its_output_is_right(tmp_path: Path) -> None:
    with pytest.raises(PageIsWrong, match="ended with 3"):
        execute(page(tmp_path, "```console\n$ echo one; exit 3\none\n```\n"), tmp_path)


def test_output_that_the_page_does_not_show_fails(tmp_path: Path) -> None:
    with pytest.raises(PageIsWrong):
        execute(page(tmp_path, "```console\n$ echo one\n```\n"), tmp_path)


def test_an_edit_changes_the_file_and_later_blocks_see_it(tmp_path: Path) -> None:
    text = "```yaml file=a.yaml\nlease: 20s\nname: a\n```\n```diff\n--- a.yaml\n-lease: 20s\n+lease: 60s\n```\n```console\n$ cat a.yaml\nlease: 60s\nname: a\n```\n"
    assert execute(page(tmp_path, text), tmp_path) == 3


def test_an_edit_of_a_line_that_is_not_there_fails(tmp_path: Path) -> None:
    with pytest.raises(PageIsWrong, match="occur 0 times"):
        execute(page(tmp_path, "```yaml file=a.yaml\nx: 1\n```\n```diff\n--- a.yaml\n-y: 1\n+y: 2\n```\n"), tmp_path)


def test_python_is_executed_and_compared_with_the_text_after_it(tmp_path: Path) -> None:
    good = "```python\nprint(1 + 1)\n```\n\n```text\n2\n```\n"
    assert execute(page(tmp_path, good), tmp_path) == 1
    (tmp_path / "again").mkdir()
    with pytest.raises(PageIsWrong):
        execute(page(tmp_path / "again", good.replace("text\n2", "text\n3")), tmp_path / "again")


@pytest.mark.parametrize(
    ("expected", "shown", "varies", "same"),
    [
        ("a  b\n", "a b   \n", False, True),
        ("a\n...\nz\n", "a\nb\nc\nz\n", False, True),
        ("a\n...\nz\n", "a\nb\nc\n", False, False),
        ("wrote ... bytes\n", "wrote 12 of many bytes\n", False, True),
        ("took <number>\n", "took 1m2.5s\n", False, True),
        ("took <number>\n", "took long\n", False, False),
        ("took 54s, better\n", "took 1m3s, better\n", True, True),
        ("took 54s, better\n", "took 1m3s, worse\n", True, False),
        ("took 54s\n", "took 55s\n", False, False),
        ("", "", False, True),
        ("", "noise\n", False, False),
    ],
)
def test_what_may_vary_may_vary_and_nothing_else(expected: str, shown: str, varies: bool, same: bool) -> None:
    assert matches(expected, shown, varies=varies) is same
