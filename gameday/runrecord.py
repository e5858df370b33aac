"""What `run.json` says about a run: enough to run it again and to know whether it is whole."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from gameday import __version__
from gameday.errors import BadInput, Problem, nearest, shown

SCHEMA: Final = 1
"""Version of the layout of `run.json`."""

_DISTRIBUTIONS: Final = ("numpy", "simpy")


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run. The fields are those of the file."""

    scenario: str
    """Name of the scenario."""
    scenario_sha256: str
    """Digest of the scenario file as it was run."""
    seed: int
    """Root of all randomness."""
    replications: int
    """Replications that were asked for."""
    completed: int
    """Replications that were finished."""
    interrupted: bool
    """True while the run goes on, and for ever when it is stopped or dies."""
    versions: Mapping[str, str]
    """Versions of gameday and of what its numbers depend on."""
    arguments: tuple[str, ...]
    """Command line, without the program's name."""
    started: str
    """Wall time, ISO 8601 with offset."""
    finished: str | None = None
    """Wall time, ISO 8601 with offset; None while the run goes on."""
    timeline_sha256: str | None = None
    """Digest of `timeline.jsonl`; None while there is none."""
    jumped: float | None = None
    """Share of the simulated time that was drawn from quiet seconds already played; None where all was played."""

    def __post_init__(self) -> None:
        assert 0 <= self.completed <= self.replications, f"{self.completed} of {self.replications} replications cannot be"

    def to_json(self) -> str:
        """The file's content, in the order of the fields."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, ensure_ascii=False, indent=2) + "\n"

    @classmethod
    def from_json(cls, content: str, file: str) -> RunRecord:
        """Read the file's content; BadInput with all problems. `file` is what messages call it."""
        try:
            record = json.loads(content)
        except json.JSONDecodeError as error:
            raise BadInput([Problem(file, error.lineno, error.colno, "", None, f"is not JSON: {error.msg}")]) from error
        except (RecursionError, ValueError) as error:
            raise BadInput([Problem(file, None, None, "", None, "is not JSON that can be read")]) from error
        problems = _problems(record, file)
        if problems:
            raise BadInput(problems)
        del record["schema"]
        return cls(**{**record, "arguments": tuple(record["arguments"])})


def installed_versions() -> dict[str, str]:
    """Versions for a record: gameday, python, numpy, simpy; `not installed` where the package is not there."""
    versions = {"gameday": __version__, "python": platform.python_version()}
    for name in _DISTRIBUTIONS:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed"
    return versions


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0.0 <= value <= 1.0


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef")


def _is_time(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


_CHECKS: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    "schema": (lambda value: _is_integer(value) and value == SCHEMA, f"must be {SCHEMA}"),
    "scenario": (_is_text, "must be a name"),
    "scenario_sha256": (_is_digest, "must be 64 hexadecimal digits"),
    "seed": (_is_integer, "must be a whole number"),
    "replications": (_is_count, "must be a whole number, 0 or more"),
    "completed": (_is_count, "must be a whole number, 0 or more"),
    "interrupted": (lambda value: isinstance(value, bool), "must be true or false"),
    "versions": (lambda value: isinstance(value, dict) and all(map(_is_text, value.values())), "must map names to versions"),
    "arguments": (
        lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value),
        "must be a list of texts",
    ),
    "started": (_is_time, "must be a time in ISO 8601 with offset"),
    "finished": (lambda value: value is None or _is_time(value), "must be a time in ISO 8601 with offset, or null"),
    "timeline_sha256": (lambda value: value is None or _is_digest(value), "must be 64 hexadecimal digits, or null"),
    "jumped": (lambda value: value is None or _is_share(value), "must be a number from 0 to 1, or null"),
}
_LATER: Final = frozenset({"jumped"})
"""Fields that a folder may lack."""


def _problems(record: Any, file: str) -> list[Problem]:
    """Everything that is wrong with a record that was read."""
    if not isinstance(record, dict):
        return [Problem(file, None, None, "", shown(record), "must be a JSON object")]
    problems = [
        Problem(file, None, None, name, None, "is missing") for name in _CHECKS if name not in record and name not in _LATER
    ]
    for name, value in record.items():
        if name not in _CHECKS:
            problems.append(Problem(file, None, None, name, shown(value), "is not a field of run.json", nearest(name, _CHECKS)))
            continue
        is_right, message = _CHECKS[name]
        if not is_right(value):
            problems.append(Problem(file, None, None, name, shown(value), message))
    if not problems and record["completed"] > record["replications"]:
        message = f"cannot be more than the {record['replications']} replications asked for"
        problems.append(Problem(file, None, None, "completed", shown(record["completed"]), message))
    return problems
