"""`--set path=value`: change single values of a document from the command line, e.g. `policies.failover.dns_ttl=30s`.

The value is YAML: a scalar, `[a, b]` or `{a: 1}`. A part of the path is a key, the index of a list element, or the `name` of one.
Keys may hold dots: the longest existing key that fits is taken. New keys may be made in mappings; the models refuse unknown ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from gameday.errors import BadInput, Problem, nearest, on_one_line
from gameday.scenario.reading import parse_value, shown_value
from gameday.scenario.tree import Document, Entry, ListNode, MappingNode, Node, Position, ScalarNode

LONGEST_LABEL = 80
"""Characters of an assignment that a problem shows."""
MOST_PARTS = 40
"""Parts of a path; no scenario is nested so deep."""


def apply_overrides(document: Document, assignments: Iterable[str]) -> Document:
    """The document with the assignments applied in order. Raises BadInput with the problems of all of them."""
    problems: list[Problem] = []
    for assignment in assignments:
        try:
            document = _applied(document, assignment)
        except BadInput as bad:
            problems += bad.problems
    if problems:
        raise BadInput(problems)
    return document


def _applied(document: Document, assignment: str) -> Document:
    label = on_one_line(f"--set {assignment}")
    label = label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 3] + "..."
    path, equals, text = assignment.partition("=")
    parts = [part.strip() for part in path.split(".")]
    if not equals or not all(parts):
        raise _problem(label, "", "must be path=value, e.g. policies.failover.dns_ttl=30s")
    if len(parts) > MOST_PARTS:
        raise _problem(label, "", f"a path has at most {MOST_PARTS} parts")
    value = _with_field(".".join(parts), lambda: parse_value(text, label))
    root = _Assignment(label, parts).put(document.root, 0, value)
    assert isinstance(root, MappingNode), "the top stays a mapping"
    return Document(root)


class _Assignment:
    """One assignment on its way down the tree; every node on the way is made anew, the others are shared."""

    def __init__(self, label: str, parts: Sequence[str]) -> None:
        self.position = Position(label, None, None)
        self.parts = parts

    def put(self, node: Node, depth: int, value: Node) -> Node:
        """The node with the value put under the parts of the path from `depth` on."""
        if depth == len(self.parts):
            return value
        match node:
            case MappingNode():
                return self._in_mapping(node, depth, value)
            case ListNode():
                return self._in_list(node, depth, value)
            case ScalarNode(value=None):
                return self._in_mapping(MappingNode(self.position, {}), depth, value)
        taken = ".".join(self.parts[:depth])
        raise self._problem(depth, f"cannot be set: {taken} is a single value, not a mapping", shown_value(node))

    def _in_mapping(self, node: MappingNode, depth: int, value: Node) -> Node:
        end = depth + 1
        for candidate in range(len(self.parts), depth, -1):
            if ".".join(self.parts[depth:candidate]) in node.entries:
                end = candidate
                break
        key = ".".join(self.parts[depth:end])
        below = node.entries.get(key)
        child = below.node if below else MappingNode(self.position, {})
        made = self.put(child, end, value)
        key_position = below.key_position if below and end < len(self.parts) else self.position
        return replace(node, entries={**node.entries, key: Entry(key_position, made)})

    def _in_list(self, node: ListNode, depth: int, value: Node) -> Node:
        index, end = self._element(node, depth)
        made = self.put(node.items[index], end, value)
        return replace(node, items=(*node.items[:index], made, *node.items[index + 1 :]))

    def _element(self, node: ListNode, depth: int) -> tuple[int, int]:
        """Index of the element meant, and how many parts of the path are used up with it."""
        part = self.parts[depth]
        names = [_name(item) for item in node.items]
        if part.isascii() and part.isdigit():
            if len(part) <= 6 and int(part) < len(node.items):
                return int(part), depth + 1
            last = f"the last is {len(node.items) - 1}" if node.items else "the list is empty"
            raise self._problem(depth, f"there is no element {part[:20]}; elements count from 0, {last}")
        for end in range(len(self.parts), depth, -1):
            matching = [index for index, name in enumerate(names) if name == ".".join(self.parts[depth:end])]
            if len(matching) == 1:
                return matching[0], end
            if matching:
                raise self._problem(depth, f"{len(matching)} elements have this name; use an index, e.g. {matching[0]}")
        known = [name for name in names if name is not None]
        raise self._problem(depth, "must be the index of an element, or its name", suggestion=nearest(part, known))

    def _problem(self, depth: int, message: str, value: str | None = None, suggestion: str | None = None) -> BadInput:
        return _problem(self.position.file, ".".join(self.parts[: depth + 1]), message, value, suggestion)


def _name(item: Node) -> str | None:
    """The `name` of a list element that has one."""
    if not isinstance(item, MappingNode) or "name" not in item.entries:
        return None
    node = item.entries["name"].node
    return node.text if isinstance(node, ScalarNode) else None


def _with_field(field: str, read: Callable[[], Node]) -> Node:
    """What `read` reads; its problems are given the field that was to be set."""
    try:
        return read()
    except BadInput as bad:
        raise BadInput(
            replace(problem, field=".".join(part for part in (field, problem.field) if part)) for problem in bad.problems
        ) from None


def _problem(label: str, field: str, message: str, value: str | None = None, suggestion: str | None = None) -> BadInput:
    return BadInput([Problem(label, None, None, field, value, message, suggestion)])
