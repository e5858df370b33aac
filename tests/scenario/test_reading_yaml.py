"""Reading YAML: every way a file can be bad gives a sentence with its place, and never anything else."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gameday.errors import BadInput
from gameday.scenario import files
from gameday.scenario.reading import MOST_PROBLEMS, parse_yaml, read_yaml
from gameday.scenario.tree import Document
from gameday.scenario.writing import yaml_text


def lines(call: Callable[[], object]) -> list[str]:
    """The problems the call raises, one line each."""
    with pytest.raises(BadInput) as caught:
        call()
    assert caught.value.exit_code == 2
    return str(caught.value).splitlines()


def attempt(call: Callable[[], Document]) -> Document | BadInput:
    """What the call returns, or the bad input it raises."""
    try:
        return call()
    except BadInput as bad:
        return bad


def test_a_file_becomes_plain_values_with_positions(tmp_path: Path) -> None:
    file = tmp_path / "day.yaml"
    file.write_text("name: shop\nsystem:\n  zones: [a, b]\n  services:\n    - name: checkout\n      slots: 8\n", encoding="utf-8")
    document = read_yaml(file)
    assert document.data == {"name": "shop", "system": {"zones": ["a", "b"], "services": [{"name": "checkout", "slots": 8}]}}
    assert document.position(("name",)) == (str(file), 1, 7)
    assert document.position(("name",), of_key=True) == (str(file), 1, 1)
    assert document.position(("system", "zones", 1)) == (str(file), 3, 14)
    assert document.position(("system", "services", 0, "slots")) == (str(file), 6, 14)
    assert document.position(("system", "services", 0, "slots"), of_key=True) == (str(file), 6, 7)


def test_a_path_that_leaves_the_document_has_the_position_of_the_last_thing_on_it() -> None:
    document = parse_yaml("a:\n  b: 1\n", "f.yaml")
    assert document.position(("a", "missing", "deep"), of_key=True) == ("f.yaml", 1, 1)
    assert document.position(("a", "b", 3)) == ("f.yaml", 2, 6)
    assert document.node(("a", "missing")) is None


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("false", False),
        ("True", "True"),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-3", -3),
        ("0", 0),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("0.0", 0.0),
        ("12:30:00", "12:30:00"),
        ("2025-03-14", "2025-03-14"),
        ("2025-03-14T09:00:00Z", "2025-03-14T09:00:00Z"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ('"010"', "010"),
        ("'true'", "true"),
        ("'12'", "12"),
        ("1h30m", "1h30m"),
        ("eu-1", "eu-1"),
        ("=", "="),
        ("|\n  two\n  lines", "two\nlines\n"),
    ],
)
def test_a_scalar_is_what_it_looks_like(written: str, value: object) -> None:
    read = parse_yaml(f"key: {written}\n", "f.yaml").data["key"]
    assert read == value
    assert type(read) is type(value)


def test_words_that_yaml_1_1_takes_for_booleans_are_fine_as_keys() -> None:
    assert parse_yaml("on: 1\nno: 2\n", "f.yaml").data == {"on": 1, "no": 2}


def test_an_alias_stands_for_a_copy() -> None:
    data = parse_yaml("a: &shared {x: [1]}\nb: *shared\n", "f.yaml").data
    assert data["b"] == {"x": [1]}
    assert data["a"] is not data["b"]
    assert data["a"]["x"] is not data["b"]["x"]


LEADING_ZERO = "a number must not start with 0 (readers disagree whether 010 is 8 or 10): drop the 0, or quote it if it is text"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["f.yaml: is empty"]),
        ("# only a comment\n", ["f.yaml: is empty"]),
        ("---\n", ["f.yaml: is empty"]),
        ("- a\n", ["f.yaml:1:1: must be a mapping (key: value) at the top (read 'a list')"]),
        ("just words\n", ["f.yaml:1:1: must be a mapping (key: value) at the top (read 'just words')"]),
        ("a: 1\n---\nb: 2\n", ["f.yaml:2:1: holds more than one document; a file holds one ('---' may only stand at its top)"]),
        ("a:\n\tb: 1\n", ["f.yaml:2:1: this line is indented with a tab; YAML allows only spaces"]),
        ("a:\n  b: 1\n  \tc: 2\n", ["f.yaml:3:3: this line is indented with a tab; YAML allows only spaces"]),
        ("a: 'x\n", ["f.yaml:2:1: is not valid YAML: found unexpected end of stream (while scanning a quoted scalar)"]),
        ("a: b: c\n", ["f.yaml:1:5: is not valid YAML: mapping values are not allowed in this context"]),
        ("a: \x07\n", ["f.yaml:1:4: holds the character U+0007, which YAML does not allow"]),
        (
            "a: 1\nb:\n  c: 1\n  c: 2\na: 3\n",
            ["f.yaml:4:3: b.c: this key is already there, in line 3", "f.yaml:5:1: a: this key is already there, in line 1"],
        ),
        ("a: {5: x}\n", ["f.yaml:1:5: a: a key must be text: put it in quotes (read '5'); did you mean '\"5\"'?"]),
        ("true: x\n", ["f.yaml:1:1: a key must be text: put it in quotes (read 'true'); did you mean '\"true\"'?"]),
        ("? [a, b]\n: x\n", ["f.yaml:1:3: a key must be text (read 'a list')"]),
        (
            "a: {b: 010}\n",
            [f"f.yaml:1:8: a.b: {LEADING_ZERO} (read '010')"],
        ),
        (
            "a: [.inf, -.INF, .nan, 1e999]\n",
            [
                f"f.yaml:1:{column}: a.{index}: must be a finite number (read '{text}')"
                for index, (column, text) in enumerate([(5, ".inf"), (11, "-.INF"), (18, ".nan"), (24, "1e999")])
            ],
        ),
        ("a: " + "1" * 200, ["f.yaml:1:4: a: must be a number of at most 100 digits (read '" + "1" * 57 + "...')"]),
        (
            "a: !!python/object:os.system x\n",
            ["f.yaml:1:4: a: YAML tags ('!...') are not supported (read '!!python/object:os.system')"],
        ),
        ("a: !!str 5\n", ["f.yaml:1:4: a: YAML tags ('!...') are not supported (read '!!str')"]),
        (
            "a: &x {b: 1}\nc: {<<: *x}\n",
            ["f.yaml:2:5: c: merge keys ('<<') are not supported: use 'include', or an alias for the whole value"],
        ),
        ("a: &one 1\nb: *ones\n", ["f.yaml:2:4: b: alias '*ones' has no anchor '&ones' before it; did you mean 'one'?"]),
        ("a: &x [*x]\n", ["f.yaml:1:8: alias '*x' stands inside what it stands for: it would never end"]),
        ("a: " + "[" * 60 + "]" * 60, ["f.yaml:1:53: is nested more than 50 deep"]),
        ("a: &a " + "[" * 30 + "]" * 30 + "\nb: " + "[" * 30 + "*a" + "]" * 30, ["f.yaml:2:34: is nested more than 50 deep"]),
    ],
)
def test_a_bad_text_is_answered_with_its_place(text: str, expected: list[str]) -> None:
    assert lines(lambda: parse_yaml(text, "f.yaml")) == expected


def test_fifty_deep_is_deep_enough() -> None:
    assert parse_yaml("a: " + "[" * 49 + "]" * 49, "f.yaml").data["a"]


def test_problems_before_a_syntax_error_are_told_with_it() -> None:
    assert lines(lambda: parse_yaml("a: 1\na: 2\nb: [\n", "f.yaml")) == [
        "f.yaml:2:1: a: this key is already there, in line 1",
        "f.yaml:4:1: is not valid YAML: did not find expected node content (while parsing a flow node)",
    ]


def test_a_billion_laughs_are_refused_before_they_are_made() -> None:
    text = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    for before, name in zip("abcdefghijk", "bcdefghijkl", strict=True):
        text += f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    assert lines(lambda: parse_yaml(text, "f.yaml")) == ["f.yaml: holds more than 100000 values, counting what aliases stand for"]


def test_a_million_values_are_refused_long_before_the_last() -> None:
    text = "a: [" + "1," * 500_000 + "]"
    assert lines(lambda: parse_yaml(text, "f.yaml")) == ["f.yaml: holds more than 100000 values, counting what aliases stand for"]


def test_a_file_of_nothing_but_mistakes_is_not_listed_to_the_end() -> None:
    assert len(lines(lambda: parse_yaml("a: 1\n" * 10_000, "f.yaml"))) == MOST_PROBLEMS


def test_a_missing_file_is_named_with_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text("a: 1", encoding="utf-8")
    file = tmp_path / "shp.yaml"
    assert lines(lambda: read_yaml(file)) == [f"{file}: does not exist; did you mean '{tmp_path / 'shop.yaml'}'?"]
    assert lines(lambda: read_yaml(tmp_path / "no" / "x.yaml")) == [f"{tmp_path / 'no' / 'x.yaml'}: does not exist"]


def test_what_is_no_ordinary_file_is_not_opened(tmp_path: Path) -> None:
    assert lines(lambda: read_yaml(tmp_path)) == [f"{tmp_path}: is a directory, not a file"]
    assert lines(lambda: read_yaml(os.devnull)) == [f"{os.devnull}: is not an ordinary file"]


def test_a_file_without_permission_is_said_to_be_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret.yaml"
    file.write_text("a: 1", encoding="utf-8")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # tests may run as root, whom no permission stops
    assert lines(lambda: read_yaml(file)) == [f"{file}: cannot be read: permission denied"]


def test_names_that_no_file_can_have_are_problems_too(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 300)
    assert lines(lambda: read_yaml(long)) == [f"{long}: cannot be read: File name too long"]
    assert len(lines(lambda: read_yaml("a\0b"))) == 1


@pytest.mark.parametrize("content", [b"\xff\xfea\x00", b"a: \x00", b"\x89PNG\r\n\x1a\n", b"a: \xe9\n", "a: 1".encode("utf-16")])
def test_a_binary_file_is_not_text(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "b.yaml"
    file.write_bytes(content)
    assert lines(lambda: read_yaml(file)) == [f"{file}: is not a text file in UTF-8"]


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    file = tmp_path / "b.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\r\n")
    assert read_yaml(file).data == {"a": 1}


def test_a_large_file_is_refused_without_being_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "large.yaml"
    file.write_bytes(b"a: 1\n" * 2_000_000)
    monkeypatch.setattr("gameday.scenario.reading.parse_yaml", None)
    assert lines(lambda: read_yaml(file)) == [f"{file}: is larger than 1048576 bytes (1 MiB), the limit for a scenario file"]


def test_a_file_of_exactly_the_limit_is_read(tmp_path: Path) -> None:
    file = tmp_path / "full.yaml"
    start = b"a: 1\n#"
    file.write_bytes(start + b"x" * (files.LARGEST_FILE_BYTES - len(start)))
    assert read_yaml(file).data == {"a": 1}


YAML_PIECES = st.lists(
    st.sampled_from(
        [
            *"abx01-?:,[]{}#&*!|>'\"%@`~<=. \t\n\r\\",
            "- ",
            ": ",
            "\n  ",
            "---\n",
            "...",
            "&a ",
            "*a",
            "<<",
            "!!",
            "null",
            "\u2028",
            "\ufeff",
        ]
    )
).map("".join)


@given(st.one_of(st.text(), YAML_PIECES))
@settings(max_examples=400)
def test_any_text_is_a_document_or_bad_input(text: str) -> None:
    read = attempt(lambda: parse_yaml(text, "f.yaml"))
    if isinstance(read, BadInput):
        assert len(str(read).splitlines()) == len(read.problems)
    else:
        assert isinstance(read.data, dict)


@given(st.one_of(st.binary(), YAML_PIECES.map(str.encode)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_any_bytes_are_a_document_or_bad_input(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "any.yaml"
    file.write_bytes(content)
    read = attempt(lambda: read_yaml(file))
    if isinstance(read, BadInput):
        assert all(problem.file == str(file) for problem in read.problems)
    else:
        assert isinstance(read.data, dict)


PLAIN = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**20), 10**20),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(min_codepoint=32, max_codepoint=126)),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text("abcdef", min_size=1), inner, max_size=4)),
    max_leaves=20,
)


TREES = st.dictionaries(st.text("abcdef", min_size=1), PLAIN, min_size=1, max_size=4)


@given(TREES)
def test_json_is_read_as_what_it_says(data: dict[str, object]) -> None:
    assert parse_yaml(json.dumps(data), "f.yaml").data == data


@given(TREES)
@example({"a": "1e3", "b": "08", "c": "yes", "d": ".inf", "e": "12:30:00", "f": "2025-03-14", "ab": "<<"})
@example({"a": 1e-7, "b": 1e22, "c": "true", "d": "", "e": "~", "f": "a\n b\n", "ab": "a: b # c"})
@example({"1e3": {"010": 1, "true": 2, "": 3, "=": 4}})
def test_what_is_written_is_read_back(data: dict[str, object]) -> None:
    assert parse_yaml(yaml_text(data), "f.yaml").data == data


@given(st.text(), st.text())
@example("", "\x85")
@example("", " \n\n  a\n")
@example("x" * 2000, "\r\n\u2028")
def test_any_text_that_yaml_can_hold_is_read_back(key: str, value: str) -> None:
    written = yaml_text({"k" + key: value})
    read = attempt(lambda: parse_yaml(written, "f.yaml"))
    if isinstance(read, BadInput):
        assert all("which YAML does not allow" in problem.message for problem in read.problems)
    else:
        assert read.data == {"k" + key: value}


def test_one_value_in_two_places_is_written_twice() -> None:
    shared = {"x": 1}
    assert yaml_text({"a": shared, "b": shared}) == "a:\n  x: 1\nb:\n  x: 1\n"
