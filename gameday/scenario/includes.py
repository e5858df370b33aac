"""Read a file with the files it includes, merged: later includes override earlier ones, the including file overrides all.

Mappings are merged key by key; lists and single values are replaced as a whole; a key set to null removes what an included file
had under it. Every value keeps its own file and line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath

from gameday.errors import BadInput, Problem, nearest
from gameday.scenario.reading import read_yaml, shown_value
from gameday.scenario.tree import Document, Entry, ListNode, MappingNode, Node, ScalarNode

DEEPEST_INCLUDE = 8
"""Files that include files that include files ..."""
MOST_INCLUDES = 100
"""Files merged into one scenario, each counted as often as it is included."""
INCLUDE = "include"
"""The key at the top of a file that lists the files it includes."""
_ENDINGS = (".yaml", ".yml")


def read_with_includes(path: Path | str, search: Sequence[Path] = ()) -> Document:
    """The file with everything it includes; an include is looked for beside the including file, then in the `search` folders.

    Raises BadInput with the problems of all files.
    """
    reading = _Reading(tuple(search))
    root = reading.read(Path(path), ())
    if reading.problems:
        raise BadInput(dict.fromkeys(reading.problems))
    assert root is not None, "a file that cannot be read is a problem"
    return Document(root)


def merged(base: MappingNode, over: MappingNode) -> MappingNode:
    """`base` with what `over` says laid on top; the order of keys is that of `base`, then what is new."""
    entries = dict(base.entries)
    for key, entry in over.entries.items():
        below = entries.get(key)
        if below is None:
            entries[key] = entry
        elif isinstance(entry.node, ScalarNode) and entry.node.value is None:
            del entries[key]
        elif isinstance(below.node, MappingNode) and isinstance(entry.node, MappingNode):
            entries[key] = Entry(entry.key_position, merged(below.node, entry.node))
        else:
            entries[key] = entry
    return MappingNode(over.position, entries)


@dataclass(slots=True)
class _Reading:
    """One reading of a file and all it includes: each file is read once, and problems are collected over all of them."""

    search: tuple[Path, ...]
    problems: list[Problem] = field(default_factory=list)
    files_read: dict[Path, MappingNode | None] = field(default_factory=dict)
    includes: int = 0

    def read(self, path: Path, including: tuple[Path, ...]) -> MappingNode | None:
        """The merged top of a file; `including` are the files on the way to it. None when it cannot be read."""
        own = self._own(path)
        if own is None:
            return None
        entry = own.entries.get(INCLUDE)
        if entry is None:
            return own
        top = MappingNode(own.position, {key: value for key, value in own.entries.items() if key != INCLUDE})
        base: MappingNode | None = None
        for included in self._included(entry.node, path, (*including, path)):
            base = included if base is None else merged(base, included)
        return top if base is None else merged(base, top)

    def _own(self, path: Path) -> MappingNode | None:
        """What stands in the file itself."""
        key = path.resolve() if path.exists() else path
        if key not in self.files_read:
            try:
                self.files_read[key] = read_yaml(path).root
            except BadInput as bad:
                self.problems += bad.problems
                self.files_read[key] = None
        return self.files_read[key]

    def _included(self, node: Node, path: Path, including: tuple[Path, ...]) -> list[MappingNode]:
        if not isinstance(node, ListNode):
            self._complain(node, INCLUDE, "must be a list of files, e.g. [systems/shop.yaml]")
            return []
        found = []
        for index, item in enumerate(node.items):
            field_name = f"{INCLUDE}.{index}"
            target = self._target(item, field_name, path)
            if target is None or not self._may_follow(item, field_name, target, including):
                continue
            root = self.read(target, including)
            if root is not None:
                found.append(root)
        return found

    def _target(self, item: Node, field_name: str, path: Path) -> Path | None:
        """The file an entry of the list means."""
        if not isinstance(item, ScalarNode) or not isinstance(item.value, str) or not item.value:
            self._complain(item, field_name, "must be the name of a file")
            return None
        name = item.value
        if PurePosixPath(name).is_absolute() or PureWindowsPath(name).drive or "\\" in name:
            self._complain(item, field_name, "must be a path relative to this file, with '/' between folders")
            return None
        if not name.endswith(_ENDINGS):
            self._complain(item, field_name, "must end in .yaml or .yml")
            return None
        folders = [path.parent, *self.search]
        for folder in folders:
            try:
                if (folder / name).is_file():
                    return folder / name
            except (OSError, ValueError):
                break
        where = ", ".join(dict.fromkeys(str(folder) for folder in folders))
        self._complain(item, field_name, f"there is no such file in {where}", _similar(name, folders))
        return None

    def _may_follow(self, item: Node, field_name: str, target: Path, including: tuple[Path, ...]) -> bool:
        self.includes += 1
        resolved = [file.resolve() for file in including]
        if target.resolve() in resolved:
            way = [*including[resolved.index(target.resolve()) :], target]
            self._complain(item, field_name, f"the file includes itself: {' -> '.join(file.name for file in way)}")
            return False
        if len(including) > DEEPEST_INCLUDE:
            self._complain(item, field_name, f"files are included more than {DEEPEST_INCLUDE} deep")
            return False
        if self.includes > MOST_INCLUDES:
            if self.includes == MOST_INCLUDES + 1:
                self._complain(item, field_name, f"more than {MOST_INCLUDES} files are included")
            return False
        return True

    def _complain(self, node: Node, field_name: str, message: str, suggestion: str | None = None) -> None:
        self.problems.append(Problem(*node.position, field_name, shown_value(node), message, suggestion))


def _similar(name: str, folders: Sequence[Path]) -> str | None:
    """The file most like `name` in the folder it names, under any of the folders."""
    parent = PurePosixPath(name).parent
    names: list[str] = []
    for folder in folders:
        try:
            names += sorted(str(parent / file.name) for file in (folder / parent).iterdir() if file.name.endswith(_ENDINGS))
        except (OSError, ValueError):
            continue
    return nearest(name, names)
