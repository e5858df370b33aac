"""The kinds of event a timeline may hold, and what each must say: the one table behind the checks and the reference page.

The rule that surprises: a kind, a key or a type that is not in this table is a bug of the one who writes it. What is read
from elsewhere may hold more, and is kept. To add a kind, add it to `system.py` or `people.py`; the reference page follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from gameday.errors import nearest
from gameday.timeline_kinds.model import Key, Kind
from gameday.timeline_kinds.people import PEOPLE_KINDS
from gameday.timeline_kinds.system import IMPACT_SUBJECT, SYSTEM_KINDS

__all__ = ["KINDS", "Key", "Kind", "kind_problems"]

KINDS: Final[Mapping[str, Kind]] = {**SYSTEM_KINDS, **PEOPLE_KINDS}


def kind_problems(kind: str, subject: str, data: Mapping[str, object]) -> list[str]:
    """All that is wrong with an event of ours, in words: an unknown kind, missing, unknown or mistyped keys."""
    known = KINDS.get(kind)
    if known is None:
        return [f"{kind} is not a kind of event{_nearest(kind, KINDS)}"]
    problems = [f"{kind} lacks {name}" for name in known.required if name not in data]
    for name, value in data.items():
        key = known.keys.get(name)
        if key is None:
            problems.append(f"{kind} has no key {name}{_nearest(name, known.keys)}")
        elif problem := key.problem(value):
            problems.append(f"{kind}: {name} {problem}")
    if kind.startswith("impact.") and not subject.startswith("class/"):
        problems.append(f"{kind}: the subject is {subject!r} and must be {IMPACT_SUBJECT}")
    return problems


def _nearest(word: str, words: Iterable[str]) -> str:
    found = nearest(word, words)
    return f"; did you mean {found}?" if found else ""
