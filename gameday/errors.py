"""What `gameday` raises when the caller can do something about it; one line per problem, all problems at once.

A bug of ours is never one of these: it is an `assert` that fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

LONGEST_VALUE_SHOWN = 60
"""Characters of a value that a problem shows; the rest is cut and marked with '...'."""


class GamedayError(Exception):
    """Base of every error a user of gameday may see; `exit_code` is what the command line exits with."""

    exit_code: int = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in one place of one file; `str()` is exactly one line."""

    file: str | None
    """File as the user named it; None when the value came from no file."""
    line: int | None
    """Line, counted from 1."""
    column: int | None
    """Column, counted from 1."""
    field: str
    """Dotted path, e.g. `system.services.checkout.slots`; empty for the file as a whole."""
    value: str | None
    """The value as it was read, shortened; None when there is none to show."""
    message: str
    """What is wrong and what is allowed."""
    suggestion: str | None = None
    """The nearest valid word, when there is one."""

    def __str__(self) -> str:
        """`file:line:column: field: message (read 'value'); did you mean 'suggestion'?`, without the parts that are None."""
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        text = ": ".join(part for part in (place, self.field, self.message) if part)
        if self.value is not None:
            text += f" (read '{self.value}')"
        if self.suggestion is not None:
            text += f"; did you mean '{self.suggestion}'?"
        return on_one_line(text)


class BadInput(GamedayError):  # noqa: N818 - it names what the user gave
    """What the user wrote cannot be used; carries every problem that was found, in reading order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Needs at least one problem."""
        self.problems: list[Problem] = list(problems)
        assert self.problems, "BadInput carries at least one problem"
        super().__init__("\n".join(str(problem) for problem in self.problems))


class MissingExtra(GamedayError):  # noqa: N818 - it names what is missing
    """An optional part of gameday is not installed; the message says what to install."""

    def __init__(self, purpose: str, extra: str) -> None:
        """`purpose` is what was asked for ("gameday live"), `extra` the extra that brings it ("live")."""
        self.extra = extra
        super().__init__(f"{purpose} needs the '{extra}' extra: pip install 'gameday-harness[{extra}]'")


class Interrupted(GamedayError):  # noqa: N818 - it is no error
    """The user stopped the run; 130 is what shells report for an interrupt (128 + SIGINT)."""

    exit_code = 130


def on_one_line(text: str) -> str:
    """The text with line breaks and other control characters written as escapes, so that it stays on one line."""
    return "".join(character if character.isprintable() else character.encode("unicode_escape").decode() for character in text)


def shown(value: object) -> str:
    """A value as a user would recognise it in a message: YAML words for null and booleans, shortened, one line."""
    if value is None:
        text = "null"
    elif isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, dict):
        text = "a mapping" if value else "an empty mapping"
    elif isinstance(value, list):
        text = "a list" if value else "an empty list"
    else:
        text = str(value)
    if len(text) > LONGEST_VALUE_SHOWN:
        text = text[: LONGEST_VALUE_SHOWN - 3] + "..."
    return on_one_line(text)


def nearest(word: object, candidates: Iterable[str]) -> str | None:
    """The candidate most like `word`, or None when none is like it; case is ignored, ties go to the earlier candidate."""
    by_lower_case: dict[str, str] = {}
    for candidate in candidates:
        by_lower_case.setdefault(candidate.lower(), candidate)
    written = str(word)[:200].lower()
    found: Sequence[str] = get_close_matches(written, by_lower_case, n=1, cutoff=0.6)
    return by_lower_case[found[0]] if found else None
