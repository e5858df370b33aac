"""Includes: how files are found and merged, that every value keeps its own file and line, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.errors import BadInput
from gameday.scenario.includes import merged, read_with_includes
from gameday.scenario.reading import parse_yaml
from gameday.scenario.tree import Document, Position


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the current one, so that messages hold short names."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name: str, text: str) -> Path:
    """A file in the current folder."""
    file = Path(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def lines(call: Callable[[], object]) -> list[str]:
    """The problems the call raises, one line each."""
    with pytest.raises(BadInput) as caught:
        call()
    return str(caught.value).splitlines()


@pytest.mark.usefixtures("folder")
def test_later_includes_override_earlier_and_the_file_itself_overrides_all() -> None:
    write("systems/one.yaml", "a: 1\nb: 1\nc: 1\nnested: {x: 1, y: 1}\nlist: [1, 2, 3]\n")
    write("systems/two.yaml", "b: 2\nc: 2\nnested: {y: 2, z: 2}\n")
    day = write("day.yaml", "include: [systems/one.yaml, systems/two.yaml]\nc: 3\nnested:\n  z: 3\nlist: [9]\n")
    document = read_with_includes(day)
    assert document.data == {"a": 1, "b": 2, "c": 3, "nested": {"x": 1, "y": 2, "z": 3}, "list": [9]}


@pytest.mark.usefixtures("folder")
def test_every_value_keeps_its_own_file_and_line() -> None:
    write("base.yaml", "a: 1\nnested:\n  x: 1\n  y: 1\n")
    day = write("day.yaml", "include: [base.yaml]\nnested:\n  y: 2\n")
    document = read_with_includes(day)
    assert document.position(("a",)) == Position("base.yaml", 1, 4)
    assert document.position(("nested", "x")) == Position("base.yaml", 3, 6)
    assert document.position(("nested", "y")) == Position("day.yaml", 3, 6)
    assert document.position(("nested",), of_key=True) == Position("day.yaml", 2, 1)


@pytest.mark.usefixtures("folder")
def test_null_removes_what_was_included_and_stays_null_where_nothing_was() -> None:
    write("base.yaml", "keep: 1\ndrop: {x: 1}\nnested: {x: 1, y: 1}\n")
    day = write("day.yaml", "include: [base.yaml]\ndrop: null\nnested: {x: null, new: null}\n")
    assert read_with_includes(day).data == {"keep": 1, "nested": {"y": 1, "new": None}}


@pytest.mark.usefixtures("folder")
def test_an_include_is_looked_for_beside_the_file_and_then_in_the_search_folders() -> None:
    write("library/system.yaml", "from: library\n")
    write("other/system.yaml", "from: other\n")
    day = write("days/day.yaml", "include: [system.yaml]\n")
    assert read_with_includes(day, [Path("library"), Path("other")]).data == {"from": "library"}
    write("days/system.yaml", "from: beside\n")
    assert read_with_includes(day, [Path("library")]).data == {"from": "beside"}


@pytest.mark.usefixtures("folder")
def test_included_files_include_others_relative_to_themselves() -> None:
    write("systems/parts/zone.yml", "zone: 1\n")
    write("systems/shop.yaml", "include: [parts/zone.yml]\nshop: 1\n")
    day = write("days/day.yaml", "include: [../systems/shop.yaml]\nday: 1\n")
    assert read_with_includes(day).data == {"zone": 1, "shop": 1, "day": 1}


@pytest.mark.usefixtures("folder")
def test_one_file_may_be_reached_by_two_ways() -> None:
    write("base.yaml", "base: 1\n")
    write("one.yaml", "include: [base.yaml]\none: 1\n")
    write("two.yaml", "include: [base.yaml]\ntwo: 1\n")
    day = write("day.yaml", "include: [one.yaml, two.yaml]\n")
    assert read_with_includes(day).data == {"base": 1, "one": 1, "two": 1}


@pytest.mark.usefixtures("folder")
def test_a_file_that_includes_itself_is_told_the_way_round() -> None:
    write("a.yaml", "include: [b.yaml]\n")
    write("b.yaml", "include: [c.yaml]\n")
    write("c.yaml", "include: [./a.yaml]\n")
    assert lines(lambda: read_with_includes("a.yaml")) == [
        "c.yaml:1:11: include.0: the file includes itself: a.yaml -> b.yaml -> c.yaml -> a.yaml (read './a.yaml')"
    ]
    write("self.yaml", "include: [self.yaml]\n")
    assert lines(lambda: read_with_includes("self.yaml")) == [
        "self.yaml:1:11: include.0: the file includes itself: self.yaml -> self.yaml (read 'self.yaml')"
    ]


@pytest.mark.usefixtures("folder")
def test_eight_includes_deep_is_the_limit() -> None:
    for depth in range(8):
        write(f"{depth}.yaml", f"include: [{depth + 1}.yaml]\n")
    write("8.yaml", "bottom: 1\n")
    assert read_with_includes("0.yaml").data == {"bottom": 1}
    write("8.yaml", "include: [9.yaml]\n")
    write("9.yaml", "bottom: 1\n")
    assert lines(lambda: read_with_includes("0.yaml")) == [
        "8.yaml:1:11: include.0: files are included more than 8 deep (read '9.yaml')"
    ]


@pytest.mark.usefixtures("folder")
def test_includes_that_multiply_are_stopped() -> None:
    for depth in range(3):
        write(f"{depth}.yaml", f"include: [{', '.join([f'{depth + 1}.yaml'] * 10)}]\n")
    write("3.yaml", "bottom: 1\n")
    problems = lines(lambda: read_with_includes("0.yaml"))
    assert len(problems) == 1
    assert "more than 100 files are included" in problems[0]


@pytest.mark.usefixtures("folder")
def test_a_wrong_entry_is_told_with_its_place() -> None:
    write("systems/shop.yaml", "a: 1\n")
    day = write(
        "day.yaml",
        "include:\n- systems/shp.yaml\n- /etc/hosts.yaml\n- notes.txt\n- 5\n- {a: 1}\n- C:/x.yaml\n- a\\b.yaml\n- ''\n",
    )
    relative = "must be a path relative to this file, with '/' between folders"
    assert lines(lambda: read_with_includes(day, [Path("lib")])) == [
        "day.yaml:2:3: include.0: there is no such file in ., lib (read 'systems/shp.yaml'); did you mean 'systems/shop.yaml'?",
        f"day.yaml:3:3: include.1: {relative} (read '/etc/hosts.yaml')",
        "day.yaml:4:3: include.2: must end in .yaml or .yml (read 'notes.txt')",
        "day.yaml:5:3: include.3: must be the name of a file (read '5')",
        "day.yaml:6:3: include.4: must be the name of a file (read 'a mapping')",
        f"day.yaml:7:3: include.5: {relative} (read 'C:/x.yaml')",
        f"day.yaml:8:3: include.6: {relative} (read 'a\\b.yaml')",
        "day.yaml:9:3: include.7: must be the name of a file (read '')",
    ]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("written", ["systems/shop.yaml", "null", "{a: 1}"])
def test_include_is_a_list(written: str) -> None:
    day = write("day.yaml", f"include: {written}\n")
    problems = lines(lambda: read_with_includes(day))
    assert len(problems) == 1
    assert problems[0].startswith("day.yaml:1:10: include: must be a list of files, e.g. [systems/shop.yaml]")


@pytest.mark.usefixtures("folder")
def test_the_problems_of_all_files_come_together_and_once() -> None:
    write("one.yaml", "a: 1\na: 2\n")
    write("two.yaml", "b: [\n")
    day = write("day.yaml", "include: [one.yaml, two.yaml, one.yaml]\nc: 1\n")
    assert lines(lambda: read_with_includes(day)) == [
        "one.yaml:2:1: a: this key is already there, in line 1",
        "two.yaml:2:1: is not valid YAML: did not find expected node content (while parsing a flow node)",
    ]
    assert lines(lambda: read_with_includes("gone.yaml")) == ["gone.yaml: does not exist; did you mean 'one.yaml'?"]


KEYS = st.text("abc", min_size=1, max_size=1)
TREES = st.dictionaries(
    KEYS, st.recursive(st.integers(0, 9), lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=8)
)


def document_of(data: object, file: str) -> Document:
    """JSON is YAML; a made-up file name shows where values come from."""
    return parse_yaml(json.dumps(data), file)


@given(TREES)
def test_merging_a_file_with_itself_or_with_nothing_changes_nothing(tree: dict[str, object]) -> None:
    root, nothing = document_of(tree, "f").root, document_of({}, "nothing").root
    assert Document(merged(root, root)).data == tree
    assert Document(merged(root, nothing)).data == tree
    assert Document(merged(nothing, root)).data == tree


@given(TREES, TREES)
def test_what_the_upper_file_says_is_there_with_its_position(lower: dict[str, object], upper: dict[str, object]) -> None:
    document = Document(merged(document_of(lower, "lower").root, document_of(upper, "upper").root))

    def check(data: dict[str, object], path: tuple[str, ...]) -> None:
        for key, value in data.items():
            here = (*path, key)
            assert document.position(here, of_key=True).file == "upper"
            if isinstance(value, dict):
                check(value, here)
            else:
                assert document.position(here).file == "upper"
                node = document.node(here)
                assert getattr(node, "value", None) == value

    check(upper, ())
