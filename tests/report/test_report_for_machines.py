"""report.md, junit.xml and the terminal's scorecard: well-formed, escaped, aligned."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gameday.report import words
from gameday.report.junit import junit
from gameday.report.markdown import markdown, plain
from gameday.report.model import ReportData
from gameday.report.scorecard import scorecard, scorecard_on
from gameday.report.terminal import Terminal, columns, cut, table
from tests.report.made_up import SCENARIO, make_run


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> ReportData:
    return ReportData.load(make_run(tmp_path_factory.mktemp("runs") / "run"))


def test_junit_has_a_test_case_for_each_objective_and_hard_failure(data: ReportData) -> None:
    suites = ET.fromstring(junit(data))
    assert suites.tag == "testsuites"
    (suite,) = suites
    cases = suite.findall("testcase")
    assert len(cases) == len(data.objectives) + len(data.hard_failures)
    assert suite.get("tests") == str(len(cases))
    assert (suite.get("failures"), suite.get("skipped"), suite.get("errors")) == ("2", "1", "0")
    by_name = {case.get("name", ""): case for case in cases}
    missed = by_name["detection.time_to_detect p90 <= 3m"]
    assert missed.get("classname") == "detection"
    failure = missed.find("failure")
    assert failure is not None
    assert "target <= 3m; gate" in (failure.get("message") or "")
    assert by_name["failover.rto p90 <= 6m"].find("skipped") is not None
    met = next(case for name, case in by_name.items() if name.startswith("shedding.critical_goodput"))
    assert [child.tag for child in met] == ["system-out"]


def test_junit_survives_texts_that_xml_cannot_hold(tmp_path: Path) -> None:
    objective = {"kpi": "failover.rto", "statistic": "p90", "target": "<= 6m", "met": None, "why": 'a "<&>" \x00 \x1b ]]> \ud800'}
    changed = {"objectives": [objective], "hard_failures": ["<failure>\x07"]}
    folder = make_run(tmp_path / "run", changed=changed)
    suite = ET.fromstring(junit(ReportData.load(folder)))[0]
    skipped = suite.find("testcase/skipped")
    assert skipped is not None
    assert skipped.get("message") == 'a "<&>" \ufffd \ufffd ]]> \ufffd'


def test_markdown_has_the_objectives_and_the_numbers_of_the_page(data: ReportData) -> None:
    text = markdown(data)
    for one in data.objectives:
        assert f"`{one.kpi}`" in text
        assert plain(one.value) in text
    assert f"**{words.count(data.accounts.lost)}**" in text
    assert "gameday run scenarios/region-loss.yaml --seed 7" in text
    lines = text.splitlines()
    for before, after in pairwise(lines):
        if before.startswith("|") and after.startswith("|"):
            assert before.replace("\\|", "").count("|") == after.replace("\\|", "").count("|")


def test_markdown_escapes_what_would_be_markup(tmp_path: Path) -> None:
    line = next(line for line in SCENARIO.splitlines() if line.startswith("title:"))
    hostile = SCENARIO.replace(line, "title: '![x](http://example.org/a.png) <b>|bold|</b> `code`'")
    first = markdown(ReportData.load(make_run(tmp_path / "run", scenario=hostile))).splitlines()[0]
    assert first == "# !\\[x\\](http://example.org/a.png) &lt;b&gt;\\|bold\\|&lt;/b&gt; \\`code\\`: U"


def _scores(data: ReportData) -> dict[str, Any]:
    return json.loads(json.dumps(data.scores))  # type: ignore[no-any-return]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("unicode", [True, False])
def test_no_line_of_the_scorecard_is_wider_than_the_terminal(data: ReportData, width: int, unicode: bool) -> None:
    for line in scorecard_on(_scores(data), Terminal(width, colours=False, unicode=unicode)).splitlines():
        assert columns(line) <= width, line


def test_the_scorecard_says_grade_verdict_objectives_and_hard_failures(data: ReportData) -> None:
    text = scorecard_on(_scores(data), Terminal(120))
    assert "grade U: unable to perform; failed: a gate was missed or something failed hard" in text
    assert "met" in text
    assert data.objectives[0].value in text
    assert "an external message without approval" in text
    assert "not judged: " in text


def test_colours_go_to_a_terminal_only_and_never_when_no_color_is_set(data: ReportData, monkeypatch: pytest.MonkeyPatch) -> None:
    class FakeTerminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[31m" in scorecard(_scores(data), FakeTerminal())
    assert "\x1b" not in scorecard(_scores(data), io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in scorecard(_scores(data), FakeTerminal())


def test_an_encoding_without_lines_gets_plain_ascii(data: ReportData) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    text = scorecard(_scores(data), stream)
    assert text.isascii()
    stream.write(text)


def test_control_characters_of_a_reason_do_not_reach_the_terminal(data: ReportData) -> None:
    scores = _scores(data)
    scores["dimensions"]["detection"]["reason"] = "\x1b[2J\x07evil\u202e"
    assert not {"\x1b", "\x07", "\u202e"} & set(scorecard_on(scores, Terminal(100)))


def test_scores_of_one_replication_without_statistics_make_a_scorecard() -> None:
    text = scorecard_on({"scenario": "x", "seed": 1, "replications": 1, "grade": "P", "verdict": "met"}, Terminal(80))
    assert "1 replication\n" in text
    assert "passed: no gate was missed" in text


def test_columns_line_up_also_with_wide_letters() -> None:
    lines = table(Terminal(60), [["U", "\u4e2d\u6587", "x"], ["UNKNOWN", "abcd", "y"]])
    assert columns(lines[0][: lines[0].index("x")]) == columns(lines[1][: lines[1].index("y")])
    assert cut("\u4e2d\u6587\u4e2d", 5, "...") == "\u4e2d..."
