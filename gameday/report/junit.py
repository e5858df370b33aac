"""junit.xml: one test case for each objective, so that a CI server shows a game day like a test suite.

The rule that surprises: an objective that could not be judged is a skipped test, and a missed one that is no gate is a failure too; the
exit code of the run, not this file, decides about gates. Hard failures are test cases of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

if TYPE_CHECKING:
    from gameday.report.model import ReportData
    from gameday.report.scoring_rows import ObjectiveRow


def junit(data: ReportData) -> bytes:
    """The file's content."""
    suites = Element("testsuites", {"name": "gameday"})
    suite = SubElement(suites, "testsuite", {"name": clean(data.scenario.name), "timestamp": data.record.started[:19]})
    properties = SubElement(suite, "properties")
    for name, value in (
        ("grade", data.grade),
        ("verdict", data.verdict),
        ("seed", str(data.record.seed)),
        ("replications", str(data.record.completed)),
        ("scenario_sha256", data.record.scenario_sha256),
    ):
        SubElement(properties, "property", {"name": name, "value": clean(value)})
    for text in data.hard_failures:
        kpi, _, why = text.partition(": ")
        case = SubElement(
            suite, "testcase", {"classname": clean(f"hard.{kpi.partition('.')[0]}"), "name": clean(kpi), "time": "0"}
        )
        SubElement(case, "failure", {"message": clean(why or text), "type": "hard failure"}).text = clean(text)
    for objective in data.objectives:
        _case(suite, objective)
    counts = {
        "tests": len(suite.findall("testcase")),
        "failures": len(suite.findall("testcase/failure")),
        "errors": 0,
        "skipped": len(suite.findall("testcase/skipped")),
    }
    for element in (suites, suite):
        for name, number in counts.items():
            element.set(name, str(number))
        element.set("time", "0")
    indent(suites)
    content: str = tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{content}\n'.encode()


def _case(suite: Element, objective: ObjectiveRow) -> None:
    name = f"{objective.kpi} {objective.statistic} {objective.target}"
    case = SubElement(suite, "testcase", {"classname": clean(objective.kpi.partition(".")[0]), "name": clean(name), "time": "0"})
    said = f"{objective.statistic} is {objective.value}" + (f" ({objective.interval})" if objective.interval else "")
    gate = "gate" if objective.gate else "not a gate"
    if objective.met is None:
        SubElement(case, "skipped", {"message": clean(objective.why or "it could not be judged")})
    elif not objective.met:
        message = clean(f"{said}, target {objective.target}; {gate}")
        SubElement(case, "failure", {"message": message, "type": "objective missed"}).text = clean(f"{objective.title}: {said}")
    SubElement(case, "system-out").text = clean(f"{said}, target {objective.target}; {gate}, weight {objective.weight}")


def clean(text: str) -> str:
    """The text without the characters that XML 1.0 cannot hold at all, each shown as a question mark in a diamond."""
    return "".join(
        one if one in "\t\n\r" or "\x20" <= one <= "\ud7ff" or "\ue000" <= one <= "\ufffd" or one >= "\U00010000" else "\ufffd"
        for one in text
    )
