"""The page: everything is in it, nothing is loaded from elsewhere, and what it says is what the record says."""

from __future__ import annotations

import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from gameday.errors import BadInput
from gameday.report import words, write_reports
from gameday.report.html import html, style_sheet
from gameday.report.model import ReportData
from gameday.runfolder import RunFolder
from gameday.scores.kpis import KPIS
from gameday.timeline import SeriesSet
from tests.report.made_up import END_S, PUBLISHED, SCENARIO, event, make_run, region_loss_events

VOID = {"meta", "br", "link", "img", "hr", "input", "wbr"}


class _Page(HTMLParser):
    """Checks that tags nest, and collects ids, links, attributes and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        assert self._open == [], f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self._open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in {"href", "xlink:href", "src", "srcset", "data", "action"}:
                (self.links if tag == "a" else self.loaded).append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in {"style", "title", "desc"}:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = make_run(tmp_path_factory.mktemp("runs") / "region-loss-1")
    write_reports(folder)
    return folder


@pytest.fixture(scope="module")
def page(run: RunFolder) -> _Page:
    return _Page(run.report_html.read_text(encoding="utf-8"))


def test_every_section_is_on_the_page(page: _Page) -> None:
    sections = [
        "dimensions",
        "objectives",
        "timeline",
        "traffic",
        "lost",
        "latency",
        "aftermath",
        "stations",
        "requests",
        "system",
        "distributions",
        "worst",
        "messages",
        "published",
        "kpis",
        "unknown",
        "limits",
        "reproduce",
    ]
    assert set(sections) <= set(page.ids)


def test_ids_are_unique_and_links_lead_somewhere(page: _Page) -> None:
    assert len(page.ids) == len(set(page.ids))
    assert [link for link in page.links if link.removeprefix("#") not in page.ids] == []


def test_nothing_is_loaded_from_anywhere(run: RunFolder, page: _Page) -> None:
    assert [source for source in page.loaded if not source.startswith("#")] == []
    content = run.report_html.read_text(encoding="utf-8")
    assert not {"script", "link", "iframe", "object", "img"} & set(page.tags)
    assert "@import" not in content
    assert re.findall(r"url\((?!#)[^)]*\)", content) == []


def test_references_inside_pictures_lead_to_their_own_picture(run: RunFolder, page: _Page) -> None:
    content = run.report_html.read_text(encoding="utf-8")
    used = set(re.findall(r"url\(#([^)]+)\)", content)) | {one[1:] for one in page.loaded}
    assert used
    assert used <= set(page.ids)


def test_every_picture_has_a_title_and_a_description(run: RunFolder) -> None:
    content = run.report_html.read_text(encoding="utf-8")
    pictures = re.findall(r"<svg [^>]*>", content)
    assert len(pictures) >= 6
    for opening in pictures:
        found = re.search(r'role="img" aria-labelledby="(\S+) (\S+)"', opening)
        assert found is not None
        title, description = found.groups()
        assert re.search(rf'<title id="{title}">[^<]+</title><desc id="{description}">[^<]+</desc>', content)


def test_pictures_shrink_with_the_window_instead_of_scrolling_sideways() -> None:
    (rule,) = re.findall(r"^figure svg \{([^}]*)\}", style_sheet(), flags=re.MULTILINE)
    assert "width: 100%" in rule
    assert "max-width: 100%" in rule
    assert "min-width" not in rule


def test_the_same_run_gives_the_same_bytes(run: RunFolder, tmp_path: Path) -> None:
    again = make_run(tmp_path / "region-loss-1")
    written = write_reports(again)
    assert [path.name for path in written] == ["report.html", "report.md", "junit.xml"]
    for path in written:
        assert path.read_bytes() == (run.path / path.name).read_bytes()


def test_numbers_on_the_page_are_those_of_the_scores(run: RunFolder) -> None:
    scores = json.loads(run.scores.read_text(encoding="utf-8"))
    content = run.report_html.read_text(encoding="utf-8")
    rows = dict(re.findall(r'<tr id="kpi-([a-z_.]+)">(.*?)</tr>', content, flags=re.DOTALL))
    results = [result for one in scores["dimensions"].values() for result in one["results"]]
    assert {result["kpi"] for result in results} == set(rows)
    for result in results:
        text = _Page(f"<table>{rows[result['kpi']]}</table>").text
        for label in ("p50", "p90"):
            if label in result:
                shown = words.value(result["kpi"], result[label]["value"], currency="EUR")
                if not (result[label]["censored"] and result["unit"] != "s"):
                    assert shown in text, f"{result['kpi']} {label}: {shown} is not in {text}"
        if "pass_rate" in result:
            assert words.percent(result["pass_rate"]["value"]) in text


def test_objectives_show_target_value_interval_and_outcome(page: _Page, run: RunFolder) -> None:
    data = ReportData.load(run)
    assert [one.outcome for one in data.objectives] == ["missed", "unknown", "met"]
    for one in data.objectives:
        assert f"{one.target} {one.statistic} {one.value} {one.interval} {one.outcome}" in page.text


def test_lost_requests_by_reason_sum_to_the_total_and_the_books_balance(run: RunFolder, page: _Page) -> None:
    data = ReportData.load(run)
    lost = sum(
        float(series.between(data.scenario.warmup + 0.5, math.inf).values.sum()) for series in data.series.find("requests.lost")
    )
    assert data.accounts.lost == round(lost) > 0
    assert sum(row.total for row in data.accounts.rows) == data.accounts.lost
    total = words.count(data.accounts.lost).replace("\N{NO-BREAK SPACE}", " ")
    assert f"the rows sum to the total: {total} lost" in page.text
    assert sum(data.accounts.offered.values()) == sum(data.accounts.good.values()) + data.accounts.lost + data.accounts.open


def test_nothing_before_the_warm_up_is_counted(tmp_path: Path) -> None:
    long_warmup = make_run(tmp_path / "run", scenario=SCENARIO.replace("warmup: 2m", "warmup: 49m"))
    assert sum(ReportData.load(long_warmup).accounts.offered.values()) < 60 * (20 + 60) * 1.2


def test_messages_show_text_audience_approval_and_time_after_declaration(page: _Page) -> None:
    assert "21:30 6m25s customers status page investigating eli communications dara (incident commander)" in page.text
    assert "Checkout fails for part of our customers since 19:10." in page.text
    assert "resolved eli communications nobody Solved." in page.text


def test_a_message_is_timed_from_the_declaration_of_its_own_incident(tmp_path: Path) -> None:
    second = event(2000, "incident.declared", "incident/2", severity="sev2", by="bo")
    said = {"audience": "internal", "phase": "investigating", "channel": "chat", "text": "x", "author": "bo", "role": "scribe"}
    early = event(300, "message.published", "incident/1", message="m0", **said)
    late = event(2060, "message.published", "incident/2", message="m9", approvals=["incident_commander/ana"], **said)
    rows = ReportData.load(make_run(tmp_path / "run", events=[*region_loss_events(), second, early, late])).messages
    assert [row.after_declaration_s for row in rows] == [None, 385.0, 60.0, 1495.0]
    assert rows[2].approvals == ("ana (incident commander)",)


def test_published_times_are_compared_in_words_that_excuse_nothing(page: _Page) -> None:
    assert "detected: the simulation is too fast. Published 4m, simulated 1m1s to 1m35s" in page.text
    assert "declared: published 12m, inside the simulated range 3m20s to 15m" in page.text
    assert "to never (p10 to p90)" in page.text


def test_the_command_that_made_the_run_is_given_exactly(page: _Page) -> None:
    assert "gameday run scenarios/region-loss.yaml --seed 7" in page.text
    assert "gameday run region-loss-1/scenario.yaml --seed 7 --replications 30" in page.text


def test_what_could_not_be_judged_is_listed_with_its_reason(run: RunFolder, page: _Page) -> None:
    data = ReportData.load(run)
    assert data.unknowns
    for kpi, _ in data.unknowns:
        assert f"{kpi} : the timeline holds no evidence for it." in page.text


def test_evidence_links_to_the_event_that_proves_it(run: RunFolder) -> None:
    content = run.report_html.read_text(encoding="utf-8")
    index = next(i for i, one in enumerate(ReportData.load(run).timeline) if one.kind == "impact.started")
    assert f'<a href="#event-{index}">10:04 impact.started</a>' in content
    row = re.search(rf'<tr id="event-{index}">(.*?)</tr>', content, flags=re.DOTALL)
    assert row is not None
    assert "class/checkout" in row[1]


@pytest.mark.parametrize("where", ["title", "teaches"])
def test_hostile_text_of_a_scenario_is_shown_and_not_obeyed(tmp_path: Path, where: str) -> None:
    attack = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    line = next(line for line in SCENARIO.splitlines() if line.startswith(f"{where}:"))
    folder = make_run(tmp_path / "run", scenario=SCENARIO.replace(line, f"{where}: '{attack}'"))
    shown = _Page(html(ReportData.load(folder)))
    assert not {"script", "img"} & set(shown.tags)
    assert attack in shown.text


def test_hostile_text_of_a_timeline_is_shown_and_not_obeyed(tmp_path: Path) -> None:
    attack = '"><svg onload=alert(1)></style><script>x</script>'
    bad = event(
        700,
        "message.published",
        attack,
        message="m",
        audience=attack,
        phase=attack,
        channel=attack,
        text=attack,
        author=attack,
        role=attack,
        approvals=[attack],
    )
    firing = event(650, "alert.firing", attack, rule=attack, severity="page")
    folder = make_run(tmp_path / "run", events=[*region_loss_events(), bad, firing])
    content = html(ReportData.load(folder))
    shown = _Page(content)
    assert "script" not in shown.tags
    assert not re.findall(r"<svg[^>]*onload", content)
    assert attack in shown.text


def test_a_day_on_which_nothing_happened_has_a_page_that_says_so(tmp_path: Path) -> None:
    calm = [event(0, "run.started", "x", scenario="x", seed=1, replication=0, duration_s=END_S), event(END_S, "run.ended", "x")]
    nothing = {name: np.array([math.nan]) for name in KPIS}
    folder = make_run(
        tmp_path / "run",
        scenario=SCENARIO,
        events=calm,
        series=SeriesSet(),
        replications=1,
        found=nothing,
        changed={"objectives": [], "hard_failures": [], "worst": [], "grade": "UNKNOWN"},
    )
    text = _Page(html(ReportData.load(folder))).text
    for said in (
        "nothing is known about its users",
        "The scenario sets no objectives.",
        "No requests were recorded in this run.",
        "No latency was recorded in this run.",
        "No message was published.",
        "One replication shows no spread.",
        "Grade UNKNOWN: could not be judged.",
    ):
        assert said in text
    assert "Held against the real incident" not in text


def test_a_run_that_was_not_scored_still_has_a_page(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    for file in (folder.scores, folder.series, folder.replications):
        file.unlink()
    text = _Page(html(ReportData.load(folder))).text
    assert "The run was not scored" in text
    assert "There are no samples per replication." in text


def test_scores_that_are_no_json_are_refused_with_the_name_of_the_file(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    folder.scores.write_text("{", encoding="utf-8")
    with pytest.raises(BadInput, match=r"scores\.json"):
        ReportData.load(folder)


def test_limits_name_what_the_scenario_lacks(tmp_path: Path) -> None:
    with_notes = _Page(html(ReportData.load(make_run(tmp_path / "a", scenario=SCENARIO + PUBLISHED)))).text
    assert "names no regulatory clock" in with_notes
    assert "Against the real incident: The real day had a second fault" in with_notes


def test_a_kpi_cut_off_by_the_end_of_the_run_is_never_shown_bare(tmp_path: Path) -> None:
    found = {"failover.rto": np.full(20, math.inf), "detection.root_cause_rank": np.full(20, math.inf)}
    folder = make_run(tmp_path / "run", found=found, replications=20, changed={"objectives": []})
    rows = {kpi.kpi: kpi for kpi in ReportData.load(folder).kpis}
    assert rows["failover.rto"].p50 == "at least 40m"
    assert rows["failover.rto"].value == "never, within 40m"
    assert (rows["detection.root_cause_rank"].p50, rows["detection.root_cause_rank"].p50_interval) == ("never", "")
    assert rows["detection.root_cause_rank"].value == "never"
