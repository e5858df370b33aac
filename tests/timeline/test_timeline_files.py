"""Timelines on disk: the same run gives the same bytes, a crash loses at most the last line, broken files are refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.errors import BadInput, GamedayError
from gameday.timeline import JSON, Event, Timeline
from gameday.timeline_files import TimelineWriter, parse_timeline, read_timeline, read_timelines, write_timeline
from gameday.timeline_kinds import KINDS
from gameday.timeline_reference import kinds_reference

TEXTS = st.text(st.characters(exclude_categories=()))  # half surrogate pairs too
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
EVENTS = st.builds(
    Event,
    t=st.floats(-1e9, 1e9),
    kind=st.sampled_from(["note", "weather.changed"]),
    subject=TEXTS,
    source=st.sampled_from(["sim", "live", "human"]),
    data=st.dictionaries(TEXTS, VALUES, max_size=3),
    wall=st.none() | st.floats(0, 4e9),
)


def note(t: float, text: str) -> Event:
    return Event(t, "note", "", "sim", {"text": text})


def two_notes() -> Timeline:
    return Timeline({"scenario": "example", "seed": 7}, [note(1.5, "one"), note(2.0, "zwei € \u2028")])


@given(st.lists(EVENTS, max_size=6), st.dictionaries(TEXTS.filter(lambda key: key != "timeline"), VALUES, max_size=3))
def test_what_is_written_is_what_is_read(events: list[Event], header: dict[str, JSON]) -> None:
    timeline = Timeline(header, events)
    content = timeline.to_bytes()
    again = parse_timeline(content, "x")
    assert list(again) == list(timeline)
    assert again.header == timeline.header
    assert again.to_bytes() == content
    assert again.digest() == timeline.digest()


def test_a_file_is_a_header_and_one_readable_line_for_each_event() -> None:
    assert two_notes().to_bytes().decode().split("\n") == [
        '{"scenario":"example","seed":7,"timeline":1}',
        '{"data":{"text":"one"},"kind":"note","source":"sim","subject":"","t":1.5}',
        '{"data":{"text":"zwei € \u2028"},"kind":"note","source":"sim","subject":"","t":2.0}',
        "",
    ]


def test_a_written_file_has_the_digest_of_its_timeline(tmp_path: Path) -> None:
    path = tmp_path / "timeline.jsonl"
    assert write_timeline(path, two_notes()) == two_notes().digest()
    assert read_timeline(path) == two_notes()
    assert [file.name for file in tmp_path.iterdir()] == ["timeline.jsonl"]


@given(st.data())
def test_wherever_a_crash_cuts_a_file_the_whole_lines_before_it_are_read_and_the_cut_is_reported(data: st.DataObject) -> None:
    content = two_notes().to_bytes()
    end = data.draw(st.integers(0, len(content)))
    part = content[:end]
    timeline = parse_timeline(part, "run.jsonl")
    complete = [position for position, byte in enumerate(content) if byte == ord("\n")]
    whole_lines = sum(end >= position for position in complete)  # a line that lacks only its line break is whole
    assert len(timeline) == max(0, whole_lines - 1)
    is_cut = end not in (0, *complete, *(position + 1 for position in complete))
    assert any("cut off" in warning for warning in timeline.warnings) == is_cut
    assert any("no header" in warning for warning in timeline.warnings) == (whole_lines == 0)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"t":1', "is not JSON"),
        ("[]", "is not a JSON object"),
        ("\xff", "is not JSON"),
        ('{"t":NaN}', "NaN is not a JSON number"),
        ('{"t":1e999,"kind":"a","subject":"","source":"sim"}', "1e999 is too large"),
        ('{"t":1' + "0" * 400 + ',"kind":"a","subject":"","source":"sim"}', "t is too large"),
        ('{"t":"1","kind":"a","subject":"","source":"sim"}', "t must be a number"),
        ('{"t":true,"kind":"a","subject":"","source":"sim"}', "t must be a number"),
        ('{"t":1,"wall":"x","kind":"a","subject":"","source":"sim"}', "wall must be a number"),
        ('{"t":1,"subject":"","source":"sim"}', "kind and subject must be texts"),
        ('{"t":1,"kind":"a","source":"sim"}', "kind and subject must be texts"),
        ('{"t":1,"kind":"a","subject":"","source":"dream"}', "source must be"),
        ('{"t":1,"kind":"a","subject":"","source":"sim","data":[]}', "data must be"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_broken_line_that_is_not_the_last_is_refused_with_its_number(line: str, message: str) -> None:
    content = f'{{"timeline":1}}\n{line}\n{note(1.0, "x").line()}\n'
    with pytest.raises(BadInput, match=message) as refusal:
        parse_timeline(content.encode(), "run.jsonl")
    assert [(problem.file, problem.line) for problem in refusal.value.problems] == [("run.jsonl", 2)]


def test_all_broken_lines_are_named_at_once() -> None:
    with pytest.raises(BadInput) as refusal:
        parse_timeline(b'{"timeline":1}\nx\n' + note(1.0, "x").line().encode() + b"\n\xff\n", "run.jsonl")
    assert [problem.line for problem in refusal.value.problems] == [2, 4]


@pytest.mark.parametrize("line_break", ["", "\n"])
@pytest.mark.parametrize(
    ("header", "message"), [('{"a":1}', "first line"), ('{"timeline":2}', "version 2"), ("# Timeline", "is not JSON")]
)
def test_a_file_that_does_not_begin_with_our_header_is_refused(header: str, message: str, line_break: str) -> None:
    with pytest.raises(BadInput, match=message) as refusal:
        parse_timeline((header + line_break).encode(), "notes.txt")
    assert len(refusal.value.problems) == 1


def test_kinds_and_keys_we_do_not_know_are_kept_and_departures_of_known_kinds_are_reported() -> None:
    lines = [
        '{"timeline":1}',
        '{"t":1,"kind":"weather.changed","subject":"sky","source":"live","data":{"to":"rain"},"extra":1}',
        '{"t":2,"kind":"page.delivered","subject":"i","source":"live","data":{"page":1,"mood":"bad"}}',
    ]
    timeline = parse_timeline("\n".join(lines).encode(), "x")
    assert [event.kind for event in timeline] == ["weather.changed", "page.delivered"]
    assert timeline[1].data == {"page": 1, "mood": "bad"}
    assert timeline.warnings == ("x:3: page.delivered lacks person", "x:3: page.delivered has no key mood")


def test_warnings_have_a_bound() -> None:
    line = '{"t":2,"kind":"run.aborted","subject":"i","source":"live"}\n'
    warnings = parse_timeline(('{"timeline":1}\n' + line * 100).encode(), "x").warnings
    assert len(warnings) == 21
    assert warnings[-1] == "x: 80 more warnings"


def test_a_writer_leaves_every_event_in_the_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "load.jsonl"
    with TimelineWriter(path, {"process": "load"}) as writer:
        writer.write(note(1.0, "one"))
        assert [event.text("text") for event in read_timeline(path)] == ["one"]
        writer.write(note(2.0, "two"))
    writer.close()
    assert path.read_bytes() == Timeline({"process": "load"}, [note(1.0, "one"), note(2.0, "two")]).to_bytes()


def test_a_writer_never_writes_into_a_file_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "load.jsonl"
    path.write_text("evidence")
    with pytest.raises(GamedayError, match="cannot create"):
        TimelineWriter(path)
    assert path.read_text() == "evidence"


def test_a_writer_refuses_what_the_table_does_not_allow(tmp_path: Path) -> None:
    with TimelineWriter(tmp_path / "x.jsonl") as writer, pytest.raises(AssertionError, match="is not a kind"):
        writer.write(Event(0.0, "nonsense", "", "sim"))
    assert len(read_timeline(tmp_path / "x.jsonl")) == 0


def test_a_writer_finishes_a_line_of_which_the_system_took_only_a_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.write
    monkeypatch.setattr(os, "write", lambda handle, content: whole(handle, content[:7]))
    with TimelineWriter(tmp_path / "x.jsonl") as writer:
        writer.write(note(1.0, "a rather long remark"))
    assert [event.text("text") for event in read_timeline(tmp_path / "x.jsonl")] == ["a rather long remark"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open
    monkeypatch.setattr(os, "open", lambda path, flags, mode=0o777: real(path, flags & ~(os.O_EXCL | os.O_CREAT), mode))
    with pytest.raises(GamedayError, match="cannot write /dev/full: the disk is full"):
        TimelineWriter(Path("/dev/full"))


def test_the_files_of_several_processes_become_one_timeline(tmp_path: Path) -> None:
    for name, times in (("a", (1.0, 3.0)), ("b", (2.0, 3.0))):
        with TimelineWriter(tmp_path / f"{name}.jsonl", {"run": 1, "process": name}) as writer:
            for time in times:
                writer.write(note(time, name))
    (tmp_path / "c.jsonl").write_bytes(b'{"process":"c","run":1,"timeline":1}\n{"t":')
    merged = read_timelines(sorted(tmp_path.iterdir()))
    assert [(event.t, event.text("text")) for event in merged] == [(1.0, "a"), (2.0, "b"), (3.0, "a"), (3.0, "b")]
    assert merged.header == {"run": 1}
    assert len(merged.warnings) == 1
    assert "c.jsonl:2: the last line is cut off" in merged.warnings[0]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(GamedayError, match=r"cannot read .*none\.jsonl: there is no such file"):
        read_timeline(tmp_path / "none.jsonl")


def test_the_reference_page_lists_every_kind_and_key_and_its_example_can_be_read() -> None:
    page = kinds_reference()
    for name, kind in KINDS.items():
        section = page.split(f"### `{name}`\n")[1].split("\n#")[0]
        assert kind.description in section
        rows = {row.split("`")[1]: row for row in section.splitlines() if row.startswith("| `")}
        assert set(rows) == set(kind.keys)
        for key in kind.required:
            assert "| yes |" in rows[key]
    example = page.split("```json\n")[1].split("```")[0]
    assert all(json.loads(line) for line in example.splitlines())
    assert parse_timeline(example.encode(), "example").warnings == ()
