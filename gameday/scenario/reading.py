"""Read a YAML file into a tree with positions, or say everything that is wrong with it: `read_yaml` raises nothing but BadInput.

The rule that surprises: this is YAML 1.2 with fewer traps. Only `true` and `false` are booleans (`on`, `yes`, `no` are text),
`12:30:00` and dates are text, a number with a leading zero is refused (readers disagree whether 010 is 8 or 10), and keys are text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import yaml

from gameday.errors import BadInput, Problem, nearest, shown
from gameday.scenario.files import text_of
from gameday.scenario.tree import Document, Entry, ListNode, MappingNode, Node, Position, ScalarNode, dotted

MOST_NODES = 100_000
"""Keys, values, lists and mappings in a file, after every alias (`*name`) has been replaced by what it stands for."""
DEEPEST_NESTING = 50
"""Lists and mappings inside each other."""
MOST_PROBLEMS = 100
"""Reading stops after so many problems in one file."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|nan)", re.IGNORECASE)
_NOT_ALLOWED = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_LONGEST_INTEGER = 100


def read_yaml(path: Path | str) -> Document:
    """The document in a file. Raises BadInput with every problem that was found."""
    return parse_yaml(text_of(Path(path)), str(path))


def parse_yaml(text: str, file: str) -> Document:
    """The document in a text; `file` is what problems call it. Raises BadInput."""
    reader = _Reader(text, file)
    root = reader.read()
    if reader.problems:
        raise BadInput(reader.problems)
    if root is None or (isinstance(root, ScalarNode) and root.text == ""):
        raise BadInput([Problem(file, None, None, "", None, "is empty")])
    if not isinstance(root, MappingNode):
        raise BadInput([Problem(*root.position, "", shown_value(root), "must be a mapping (key: value) at the top")])
    return Document(root)


def parse_value(text: str, file: str) -> Node:
    """A scalar, or a list or mapping in flow style (`[1, 2]`, `{a: 1}`), without line and column. Raises BadInput."""
    reader = _Reader(text, file, positions=False)
    root = reader.read()
    if reader.problems:
        raise BadInput(reader.problems)
    return root or ScalarNode(Position(file, None, None), None, "")


def is_plain_text(text: str) -> bool:
    """Whether the text, written without quotes, would be read as text: it is no number, boolean, null or merge key."""
    patterns = (_INTEGER, _FLOAT, _LEADING_ZERO, _NOT_FINITE)
    return text not in _WORDS and text != "<<" and not any(pattern.fullmatch(text) for pattern in patterns)


def shown_value(node: Node) -> str:
    """The value as the user wrote it, shortened to one line."""
    if isinstance(node, ScalarNode):
        return shown(node.text or node.value)
    if isinstance(node, ListNode):
        return shown(list(node.items))
    return shown(node.entries)


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not been read yet."""

    position: Position
    anchor: str | None
    items: list[Node] | None
    entries: dict[str, Entry] = field(default_factory=dict)
    key: tuple[str | None, Position] | None = None
    """Key that waits for its value; its text is None when it was refused, so that its value is dropped."""
    height: int = 1


@dataclass(slots=True)
class _Anchored:
    """What an alias stands for; `node` is None until its end has been read."""

    node: Node | None
    size: int
    height: int


class _Stop(Exception):  # noqa: N818 - it is control flow, not an error
    """Nothing more can be read."""


class _Reader:
    """Builds one tree from parser events without recursion, so that no input can exhaust the stack."""

    def __init__(self, text: str, file: str, *, positions: bool = True) -> None:
        self.text = text
        self.file = file
        self.positions = positions
        self.problems: list[Problem] = []
        self.open: list[_Open] = []
        self.anchors: dict[str, _Anchored] = {}
        self.size = 0
        self.root: Node | None = None

    def read(self) -> Node | None:
        """The top of the document; None when there is none, or when reading had to stop (then there are problems)."""
        try:
            for event in self._events():
                self._take(event)
        except _Stop:
            return None
        return self.root

    def complain(self, position: Position | None, message: str, value: str | None = None, suggestion: str | None = None) -> None:
        """Note a problem at the current place in the tree."""
        position = position or Position(self.file, None, None)
        path = [self._part(frame) for frame in self.open if frame.items is not None or frame.key is not None]
        self.problems.append(Problem(*position, dotted(path), value, message, suggestion))
        if len(self.problems) >= MOST_PROBLEMS:
            raise _Stop

    def _stop(self, position: Position | None, message: str) -> NoReturn:
        """Note a problem with the whole, after which nothing more is read."""
        self.open.clear()
        self.complain(position, message)
        raise _Stop

    def _events(self) -> Iterator[yaml.Event]:
        found = _NOT_ALLOWED.search(self.text)
        if found:
            before = self.text[: found.start()]
            position = self._position(before.count("\n"), len(before) - before.rfind("\n") - 1)
            self._stop(position, f"holds the character U+{ord(found[0]):04X}, which YAML does not allow")
        try:
            yield from yaml.parse(self.text, Loader=_LOADER)
        except yaml.MarkedYAMLError as error:
            self._complain_about_syntax(error)
            raise _Stop from None
        except yaml.YAMLError as error:
            self.complain(None, f"is not valid YAML: {error}")
            raise _Stop from None

    def _complain_about_syntax(self, error: yaml.MarkedYAMLError) -> None:
        mark = error.problem_mark or error.context_mark
        position = self._position(mark.line, mark.column) if mark else None
        self.open.clear()
        lines = self.text.split("\n")
        for number in {mark.line, mark.line - 1} if mark else ():
            if 0 <= number < len(lines) and re.match(" *\t", lines[number]):
                column = lines[number].index("\t")
                self.complain(self._position(number, column), "this line is indented with a tab; YAML allows only spaces")
                return
        context = f" ({error.context})" if error.context else ""
        self.complain(position, f"is not valid YAML: {error.problem or 'unknown error'}{context}")

    def _take(self, event: yaml.Event) -> None:
        assert event.start_mark is not None, "the parser marks every event"
        position = self._position(event.start_mark.line, event.start_mark.column)
        match event:
            case yaml.DocumentStartEvent() if self.root is not None:
                self._stop(position, "holds more than one document; a file holds one ('---' may only stand at its top)")
            case yaml.AliasEvent():
                self._alias(str(event.anchor), position)
            case yaml.ScalarEvent():
                self._scalar(event, position)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._begin(event, position)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._end()
            case _:
                pass

    def _begin(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent, position: Position) -> None:
        self._count(1)
        self._refuse_tag(event.tag, position)
        if not self.positions and not event.flow_style:
            self.complain(position, "must be a single value, or a list [a, b] or mapping {a: b} in brackets")
        if len(self.open) >= DEEPEST_NESTING:
            self._stop(position, f"is nested more than {DEEPEST_NESTING} deep")
        if event.anchor:
            self.anchors[event.anchor] = _Anchored(None, self.size - 1, 0)
        self.open.append(_Open(position, event.anchor, [] if isinstance(event, yaml.SequenceStartEvent) else None))

    def _end(self) -> None:
        frame = self.open.pop()
        items = frame.items
        node = MappingNode(frame.position, frame.entries) if items is None else ListNode(frame.position, tuple(items))
        if frame.anchor:
            self.anchors[frame.anchor] = _Anchored(node, self.size - self.anchors[frame.anchor].size, frame.height)
        self._add(node, frame.height)

    def _scalar(self, event: yaml.ScalarEvent, position: Position) -> None:
        self._count(1)
        self._refuse_tag(event.tag, position)
        is_key = self._expects_key()
        quoted = event.style not in (None, "")
        value = event.value if quoted else self._resolve(event.value, position, is_key=is_key)
        node = ScalarNode(position, value, event.value)
        if event.anchor:
            self.anchors[event.anchor] = _Anchored(node, 1, 0)
        self._add(node, 0)

    def _alias(self, name: str, position: Position) -> None:
        known = self.anchors.get(name)
        if known is None:
            self.complain(position, f"alias '*{name}' has no anchor '&{name}' before it", None, nearest(name, self.anchors))
            known = _Anchored(ScalarNode(position, None, f"*{name}"), 1, 0)
        if known.node is None:
            self._stop(position, f"alias '*{name}' stands inside what it stands for: it would never end")
        self._count(known.size)
        if len(self.open) + known.height > DEEPEST_NESTING:
            self._stop(position, f"is nested more than {DEEPEST_NESTING} deep")
        self._add(known.node, known.height)

    def _add(self, node: Node, height: int) -> None:
        """Put a finished node where it belongs: the top, a list, a key, or the value of the key before it."""
        if not self.open:
            self.root = node
            return
        frame = self.open[-1]
        frame.height = max(frame.height, height + 1)
        if frame.items is not None:
            frame.items.append(node)
        elif frame.key is None:
            frame.key = (self._key(node, frame), node.position)
        else:
            key, key_position = frame.key
            frame.key = None
            if key is not None:
                frame.entries[key] = Entry(key_position, node)

    def _key(self, node: Node, frame: _Open) -> str | None:
        """The text of a key; None, and a problem, when it cannot be one."""
        if not isinstance(node, ScalarNode):
            self.complain(node.position, "a key must be text", shown_value(node))
            return None
        if not isinstance(node.value, str):
            meant = f'"{node.text}"' if node.text else None
            self.complain(node.position, "a key must be text: put it in quotes", shown_value(node), meant)
            return None
        if node.value == "<<":
            self.complain(node.position, "merge keys ('<<') are not supported: use 'include', or an alias for the whole value")
            return None
        if node.value in frame.entries:
            first = frame.entries[node.value].key_position
            frame.key = (node.value, node.position)
            where = f"line {first.line}" if first.line is not None else "the same mapping"
            self.complain(node.position, f"this key is already there, in {where}")
            return None
        return node.value

    def _resolve(self, text: str, position: Position, *, is_key: bool) -> str | int | float | bool | None:
        """The value of a scalar that was written without quotes."""
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text):
            if len(text) > _LONGEST_INTEGER:
                self.complain(position, f"must be a number of at most {_LONGEST_INTEGER} digits", shown(text))
                return 0
            return int(text)
        if _LEADING_ZERO.fullmatch(text) and not is_key:
            advice = (
                "a number must not start with 0 (readers disagree whether 010 is 8 or 10): drop the 0, or quote it if it is text"
            )
            self.complain(position, advice, shown(text))
            return 0
        if _FLOAT.fullmatch(text):
            number = float(text)
            if not math.isfinite(number):
                self.complain(position, "must be a finite number", shown(text))
            return number
        if _NOT_FINITE.fullmatch(text):
            self.complain(position, "must be a finite number", shown(text))
            return 0.0
        return str(text)

    def _refuse_tag(self, tag: str | None, position: Position) -> None:
        if tag is not None and tag != "!":
            self.complain(position, "YAML tags ('!...') are not supported", shown(tag.replace("tag:yaml.org,2002:", "!!")))

    def _count(self, nodes: int) -> None:
        self.size += nodes
        if self.size > MOST_NODES:
            self._stop(None, f"holds more than {MOST_NODES} values, counting what aliases stand for")

    def _expects_key(self) -> bool:
        return bool(self.open) and self.open[-1].items is None and self.open[-1].key is None

    def _part(self, frame: _Open) -> str | int:
        if frame.items is not None:
            return len(frame.items)
        assert frame.key is not None, "asked only for mappings with a key"
        return frame.key[0] if frame.key[0] is not None else "?"

    def _position(self, line: int, column: int) -> Position:
        return Position(self.file, line + 1, column + 1) if self.positions else Position(self.file, None, None)
