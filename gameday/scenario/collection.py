"""Checks many files: scenarios as a whole, parts (systems, teams, loads) section by section.

A file with `gameday:` at its top is a scenario. A file with only sections of the language is a part: what it lacks may come from
the scenario that includes it, so its sections are checked by themselves and not against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from gameday.errors import BadInput, Problem, nearest

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


@dataclass(frozen=True, slots=True)
class Checked:
    """One file and what is wrong with it."""

    file: str
    kind: str
    """`scenario`, `part`, `practice`, `study` or `unknown`."""
    problems: tuple[Problem, ...]


def check_all(paths: Sequence[Path]) -> list[Checked]:
    """Check files and everything in folders. A problem in a part is reported once, with the part's own position."""
    checked = [_check(path) for path in _files(paths)]
    seen: set[Problem] = set()
    result = []
    for each in checked:
        fresh = tuple(problem for problem in each.problems if problem not in seen)
        seen.update(fresh)
        result.append(Checked(each.file, each.kind, fresh))
    return result


def _files(paths: Iterable[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = sorted(p for p in path.rglob("*") if p.suffix in (".yaml", ".yml") and p.is_file())
            if not found:
                raise BadInput([Problem(str(path), None, None, "", None, "holds no .yaml or .yml files")])
            files += found
        else:
            files.append(path)
    return list(dict.fromkeys(files))


def _check(path: Path) -> Checked:
    from gameday.practices import MARK, read_practice
    from gameday.scenario import read_scenario
    from gameday.scenario.includes import INCLUDE
    from gameday.scenario.model import Scenario
    from gameday.scenario.reading import read_yaml
    from gameday.study.design import check_study
    from gameday.study.model import MARK as STUDY

    try:
        document = read_yaml(path)
    except BadInput as bad:
        return Checked(str(path), "unknown", tuple(bad.problems))
    sections = [INCLUDE, *(key for key in Scenario.model_fields if key != "gameday")]
    if "gameday" in document.data:
        kind, problems = "scenario", _problems(lambda: read_scenario(path))
    elif MARK in document.data:
        kind, problems = "practice", _problems(lambda: read_practice(path))
    elif STUDY in document.data:
        kind, problems = "study", _problems(lambda: check_study(path))
    elif any(key in sections for key in document.data):
        kind, problems = "part", _part(path)
    else:
        first = next(iter(document.data))
        position = document.position((first,), of_key=True)
        message = "is neither a scenario (no 'gameday: 1') nor a part of one (no known section)"
        kind, problems = "unknown", [Problem(*position, first, None, message, nearest(first, sections))]
    return Checked(str(path), kind, tuple(problems))


def _problems(attempt: Callable[[], object]) -> list[Problem]:
    try:
        attempt()
    except BadInput as bad:
        return bad.problems
    return []


def _annotated(field: FieldInfo) -> Any:
    """The type of a field with all that reads and checks it: `70m` is a duration in a part as well."""
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


def _part(path: Path) -> list[Problem]:
    """Check each section on its own; what a section lacks may come from elsewhere, so missing keys are no problem here."""
    from pydantic import create_model

    from gameday.scenario.base import Strict
    from gameday.scenario.includes import read_with_includes
    from gameday.scenario.model import Scenario
    from gameday.scenario.replay import with_counts
    from gameday.scenario.validation import in_reading_order, validate
    from gameday.shipped import shipped_scenarios

    try:
        document = read_with_includes(path, [shipped_scenarios()])
    except BadInput as bad:
        return bad.problems
    replayed = _problems(lambda: with_counts(document))
    fields = {name: (_annotated(field), None) for name, field in Scenario.model_fields.items()}
    part = create_model("Part", __base__=Strict, **fields)  # type: ignore[call-overload]
    missing = "is required"
    found = [problem for problem in _problems(lambda: validate(part, document)) if missing not in problem.message]
    told = {problem.field for problem in found}
    return in_reading_order([*found, *(problem for problem in replayed if problem.field not in told)])
