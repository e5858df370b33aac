"""Reading values out of somebody else's YAML file: what is not as it must be is a problem with its place, all told at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from gameday.errors import Problem
from gameday.scenario.tree import Document, MappingNode, Path, plain
from gameday.scenario.validation import Checks
from gameday.units import format_duration

_DURATION = re.compile(r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?")
_SECONDS = (31_536_000.0, 604_800.0, 86_400.0, 3_600.0, 60.0, 1.0, 0.001)


class Foreign:
    """A document of another program."""

    def __init__(self, document: Document) -> None:
        """Finds nothing wrong yet."""
        self._checks = Checks(document)
        self._document = document

    def wrong(self, path: Path, message: str, candidates: Iterable[str] = ()) -> None:
        """What is at a path is wrong."""
        self._checks.problem(path, message, candidates=candidates)

    def adopt(self, problems: Iterable[Problem], path_of: Callable[[str], Path]) -> None:
        """Problems of the scenario made from the document; `path_of` says where their fields came from."""
        for problem in problems:
            path = path_of(problem.field)
            place = self._document.position(path)
            field = ".".join(map(str, path))
            self._checks.problems.append(Problem(*place, field, problem.value, problem.message, problem.suggestion))

    def raise_if_any(self) -> None:
        """Raise BadInput with everything that was wrong."""
        self._checks.raise_if_any()

    def value(self, path: Path) -> Any:
        """What is there, or None."""
        node = self._document.node(path)
        return None if node is None else plain(node)

    def keys(self, path: Path) -> list[str]:
        """Keys of the mapping there."""
        node = self._document.node(path)
        return list(node.entries) if isinstance(node, MappingNode) else []

    def items(self, path: Path, *, required: bool = False) -> list[Any]:
        """The list there; an empty one, and a problem, when it is none."""
        found = self.value(path)
        if found is None and not required:
            return []
        if not isinstance(found, list):
            self.wrong(path, f"needs a list '{path[-1]}'" if found is None else "must be a list")
            return []
        return found

    def text(self, path: Path, *, required: bool = False) -> str | None:
        """The text there (numbers count as text)."""
        found = self.value(path)
        if found is None:
            if required:
                self.wrong(path, f"'{path[-1]}' is missing")
            return None
        if isinstance(found, dict | list | bool):
            self.wrong(path, "must be text")
            return None
        return str(found)

    def texts(self, path: Path) -> dict[str, str]:
        """The mapping of texts there."""
        found = self.value(path)
        if found is None:
            return {}
        if not isinstance(found, dict):
            self.wrong(path, "must be a mapping")
            return {}
        return {key: self.text((*path, key)) or "" for key in found}

    def duration(self, path: Path) -> str | None:
        """The duration there as the scenario language writes it; Prometheus also counts in weeks and years."""
        written = self.text(path)
        if written is None or written == "0":
            return None if written is None else "0s"
        found = _DURATION.fullmatch(written)
        if found is None or not written:
            self.wrong(path, "must be a duration such as '30s', '5m' or '1h30m'")
            return None
        parts = zip(found.groups(default="0"), _SECONDS, strict=True)
        return format_duration(sum(int(count) * seconds for count, seconds in parts))
