"""A YAML file as a tree whose every key and value knows where it was written.

Trees are never changed: merging files and applying `--set` build new ones that share the parts they keep, so a value keeps the
place it came from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

Path = Sequence[str | int]
"""Way from the top of a document: keys of mappings and indices of lists."""


class Position(NamedTuple):
    """A place in what the user wrote. Line and column count from 1; they are None for values given on the command line."""

    file: str
    line: int | None
    column: int | None


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A single value, and the text it was written as."""

    position: Position
    value: str | int | float | bool | None
    text: str


@dataclass(frozen=True, slots=True)
class ListNode:
    """A list."""

    position: Position
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a mapping (where it stands) with its value."""

    key_position: Position
    node: Node


@dataclass(frozen=True, slots=True)
class MappingNode:
    """A mapping from text to values, in the order written."""

    position: Position
    entries: dict[str, Entry]


Node = ScalarNode | ListNode | MappingNode


@dataclass(frozen=True)
class Document:
    """What was read from one file, or from several merged ones, or with assignments applied."""

    root: MappingNode

    @cached_property
    def data(self) -> dict[str, Any]:
        """Plain dicts, lists, str, int, float, bool and None, not shared with any other document; made once."""
        data = plain(self.root)
        assert isinstance(data, dict), "the top of a document is a mapping"
        return data

    def position(self, path: Path, *, of_key: bool = False) -> Position:
        """Where the value at `path` stands, or its key; where the path leaves the document, the last thing on it."""
        entry = self._nearest(path)
        return entry.key_position if of_key else entry.node.position

    def node(self, path: Path) -> Node | None:
        """What is at `path`; None when there is nothing."""
        return self._nearest(path).node if self.existing(path) == len(path) else None

    def existing(self, path: Path) -> int:
        """How many steps of `path` can be taken."""
        node: Node = self.root
        for taken, part in enumerate(path):
            step = _step(node, part)
            if step is None:
                return taken
            node = step.node
        return len(path)

    def _nearest(self, path: Path) -> Entry:
        entry = Entry(self.root.position, self.root)
        for part in path[: self.existing(path)]:
            step = _step(entry.node, part)
            assert step is not None, "every existing step can be taken"
            entry = step
        return entry


def plain(node: Node) -> Any:
    """The node as plain Python values. Trees are at most 50 deep (reading.py), so recursion is safe."""
    match node:
        case ScalarNode():
            return node.value
        case ListNode():
            return [plain(item) for item in node.items]
        case MappingNode():
            return {key: plain(entry.node) for key, entry in node.entries.items()}


def dotted(path: Path) -> str:
    """A path as users write it: `system.services.checkout.slots`, `objectives.0.target`."""
    return ".".join(str(part) for part in path)


def _step(node: Node, part: str | int) -> Entry | None:
    match node:
        case MappingNode():
            return node.entries.get(str(part))
        case ListNode() if isinstance(part, int) and 0 <= part < len(node.items):
            return Entry(node.items[part].position, node.items[part])
    return None
