"""What a check says: on a terminal, in a step summary, as JUnit, and as annotations of a pull request.

The rule that surprises: what did not change is counted, not listed; every finding carries the event that changed first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from gameday.regression.gate import Finding, shift_words
from gameday.report import words
from gameday.report.junit import clean
from gameday.report.markdown import plain, table
from gameday.scores.kpis import KPIS, format_value

if TYPE_CHECKING:
    from gameday.regression.baseline import Baseline, Bounds
    from gameday.regression.checking import Checked
    from gameday.regression.evidence import Evidence
    from gameday.regression.landmarks import Parting

MOST_PARTINGS: Final = 3
"""Events that a finding names; the rest are rarer."""


def parting_words(parting: Parting) -> str:
    """Which event changed first, and by how much."""
    where = f"first to change in {parting.first_in} of {parting.pairs} pairs"
    before, after = parting.before_s, parting.after_s
    if before is None and after is not None:
        return f"{parting.label}: did not happen before, now at {_time(after)} ({where})"
    if after is None and before is not None:
        return f"{parting.label}: does not happen any more, before at {_time(before)} ({where})"
    assert before is not None, "it happened on one side at least"
    assert after is not None, "it happened on one side at least"
    direction = "later" if after > before else "earlier"
    moved = words.duration(abs(after - before))
    return f"{parting.label}: {moved} {direction}, {_time(before)} -> {_time(after)} ({where})"


def _time(time_s: float) -> str:
    return f"{words.clock(time_s, hours=time_s > 5400)} ({time_s:.1f} s)"


def check_text(checked: Checked, evidence: Sequence[Evidence] = ()) -> str:
    """The check for a terminal."""
    lines: list[str] = []
    for held in checked.held:
        state = "worse" if held.findings else "holds"
        changed = [] if held.same_scenario else ["the scenario was changed since"]
        changed += [] if held.same_version else [f"the baseline is from version {held.baseline.version}"]
        about = f"{held.replications} replications, seed {held.baseline.seed}" + "".join(f"; {one}" for one in changed)
        lines.append(f"{state}  {held.scenario}  ({about})")
        for finding in held.findings:
            lines += [f"    {finding.reason}: {finding.kpi}: {finding.what}", *_why(finding, "        ")]
        lines += [f"    note: {note}" for note in held.notes]
        lines += [f"    not met, as before: {kpi} {gate}" for kpi, gate, was, now in held.gates if now is False and was is False]
    lines += [f"none   {file}: there is no baseline; gameday check --update makes one" for file in checked.without_baseline]
    lines += [f"live   {one}" for one in evidence]
    lines += ["", _count(checked)]
    return "\n".join(lines)


def _why(finding: Finding, margin: str) -> list[str]:
    if not finding.partings:
        return [f"{margin}no timeline of the first replications differs"] if finding.replications else []
    return [f"{margin}changed first: {parting_words(one)}" for one in finding.partings[:MOST_PARTINGS]]


def _count(checked: Checked) -> str:
    worse = sum(bool(held.findings) for held in checked.held)
    none = f", {len(checked.without_baseline)} without a baseline" if checked.without_baseline else ""
    return f"{worse} of {len(checked.held)} game days got worse{none}"


def check_markdown(checked: Checked, evidence: Sequence[Evidence] = ()) -> str:
    """The check for a pull request or a step summary."""
    lines = [f"## Game days: {_count(checked)}", ""]
    rows = []
    for held in checked.held:
        gates = sum(now is True for *_, now in held.gates)
        rows.append(
            (
                held.scenario,
                "worse" if held.findings else "holds",
                f"{gates} of {len(held.gates)}",
                "; ".join(f"{one.kpi}: {shift_words(one)}" for one in held.shifts if one.worse) or "none",
                "same" if held.same_scenario else "changed",
            )
        )
    rows += [(file, "no baseline", "", "", "") for file in checked.without_baseline]
    lines += table(("game day", "against its baseline", "gates met", "pairs that moved", "scenario"), rows)
    for held in checked.held:
        for finding in held.findings:
            lines += ["", f"### {plain(held.scenario)}: {finding.reason}, `{finding.kpi}`", "", plain(finding.what), ""]
            lines += [f"- changed first: {plain(parting_words(one))}" for one in finding.partings[:MOST_PARTINGS]]
    if evidence:
        lines += ["", "### Live evidence", "", *(f"- {plain(str(one))}" for one in evidence)]
    return "\n".join(lines) + "\n"


def check_junit(checked: Checked) -> bytes:
    """The check as test results: a suite per game day, a case per gate, hard failure and shift."""
    suites = Element("testsuites", {"name": "gameday check"})
    for held in checked.held:
        suite = SubElement(suites, "testsuite", {"name": clean(held.scenario)})
        lost = {(one.kpi, one.what.partition(" was met")[0]): one for one in held.findings if one.reason == "objective lost"}
        for kpi, gate, _, _ in held.gates:
            _case(suite, "gate", f"{kpi} {gate}", lost.get((kpi, gate)))
        shifted = {one.kpi: one for one in held.findings if one.reason == "shift"}
        for shift in held.shifts:
            _case(suite, "shift", shift.kpi, shifted.get(shift.kpi), shift_words(shift))
        hard = [one for one in held.findings if one.reason == "hard failure"]
        for finding in hard:
            _case(suite, "hard failure", finding.kpi, finding)
        if not hard:
            _case(suite, "hard failure", "nothing new fails hard", None)
        _count_cases(suite)
    for file in checked.without_baseline:
        suite = SubElement(suites, "testsuite", {"name": clean(file)})
        case = SubElement(suite, "testcase", {"classname": "baseline", "name": "it has a baseline", "time": "0"})
        SubElement(case, "skipped", {"message": "there is no baseline; gameday check --update makes one"})
        _count_cases(suite)
    _count_cases(suites)
    indent(suites)
    content: str = tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{content}\n'.encode()


def _case(suite: Element, kind: str, name: str, finding: Finding | None, said: str = "") -> None:
    case = SubElement(suite, "testcase", {"classname": kind, "name": clean(name), "time": "0"})
    if finding is not None:
        told = "\n".join([finding.what, *_why(finding, "")])
        SubElement(case, "failure", {"message": clean(finding.what), "type": kind}).text = clean(told)
    if said:
        SubElement(case, "system-out").text = clean(said)


def _count_cases(element: Element) -> None:
    counts = {"tests": "testcase", "failures": "testcase/failure", "skipped": "testcase/skipped"}
    for name, path in counts.items():
        element.set(name, str(len(element.findall(f".//{path}"))))
    element.set("errors", "0")
    element.set("time", "0")


def workflow_commands(checked: Checked) -> Iterable[str]:
    """One workflow command of GitHub Actions per finding; it shows beside the file in the pull request."""
    for held in checked.held:
        for finding in held.findings:
            told = "; ".join([finding.what, *_why(finding, "")])
            title = f"{held.scenario}: {finding.reason}, {finding.kpi}"
            yield f"::error file={_escaped(held.file, ',:')},title={_escaped(title, ',:')}::{_escaped(told)}"


def _escaped(text: str, also: str = "") -> str:
    """As the workflow commands of GitHub want it: percent signs, line ends, and in properties commas and colons."""
    for one in "%\r\n" + also:
        text = text.replace(one, f"%{ord(one):02X}")
    return text


def update_text(before: Baseline | None, after: Baseline) -> str:
    """What accepting a new baseline changes."""
    if before is None:
        return f"new      {after.scenario}: {after.replications} replications, {_objectives(after)}"
    if before == after:
        return f"same     {after.scenario}"
    lines = [f"changed  {after.scenario}" + ("" if before.scenario_sha256 == after.scenario_sha256 else " (so was the scenario)")]
    for name in ("version", "seed", "replications"):
        old, new = getattr(before, name), getattr(after, name)
        lines += [f"    {name}: {old} -> {new}"] if old != new else []
    for kpi in dict.fromkeys([*before.kpis, *after.kpis]):
        one, other = before.kpis.get(kpi), after.kpis.get(kpi)
        if one is None or other is None:
            lines.append(f"    {kpi}: {'new' if one is None else 'no objective any more'}")
        elif one != other:
            moved = sum(a != b for a, b in zip(one.values, other.values, strict=False))
            p50, p90 = ((_estimate(kpi, getattr(each, q)) for each in (one, other)) for q in ("p50", "p90"))
            rates = "".join(
                f", meet {target}: {_rate(one.pass_rate.get(target))} -> {_rate(rate)}"
                for target, rate in other.pass_rate.items()
            )
            text = f"p50 {' -> '.join(p50)}, p90 {' -> '.join(p90)}{rates}; {moved} of {len(other.values)} replications moved"
            lines.append(f"    {kpi}: {text}")
    for kpi in dict.fromkeys([*before.hard_failures, *after.hard_failures]):
        counts = [len(each.hard_failures.get(kpi, ())) for each in (before, after)]
        lines += [f"    {kpi}: hard failures {counts[0]} -> {counts[1]}"] if counts[0] != counts[1] else []
    if len(lines) == 1:
        lines.append("    times of events only")
    return "\n".join(lines)


def _objectives(baseline: Baseline) -> str:
    found = [f"{kpi} p90 {_estimate(kpi, one.p90)}" for kpi, one in baseline.kpis.items()]
    hard = [f"{kpi} fails hard in {len(numbers)}" for kpi, numbers in baseline.hard_failures.items()]
    return ", ".join(found + hard) or "no objectives"


def _estimate(kpi: str, found: Bounds | None) -> str:
    if found is None:
        return "nothing"
    return ("at least " if found.censored else "") + format_value(KPIS[kpi], found.value)


def _rate(found: Bounds | None) -> str:
    return "nothing" if found is None else words.percent(found.value)


def check_json(checked: Checked, evidence: Sequence[Evidence] = ()) -> dict[str, Any]:
    """The check as plain values."""
    from dataclasses import asdict

    return {
        "schema": 1,
        "failed": checked.failed,
        "game_days": [
            {
                "scenario": held.scenario,
                "file": held.file,
                "replications": held.replications,
                "seed": held.baseline.seed,
                "same_scenario": held.same_scenario,
                "findings": [asdict(one) for one in held.findings],
                "shifts": [asdict(one) for one in held.shifts],
                "gates": [{"kpi": kpi, "gate": gate, "before": was, "now": now} for kpi, gate, was, now in held.gates],
                "notes": held.notes,
            }
            for held in checked.held
        ],
        "without_baseline": list(checked.without_baseline),
        "evidence": [asdict(one) for one in evidence],
    }
