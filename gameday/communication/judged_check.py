"""How well the check of messages finds what people find: precision and recall on messages with labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from gameday.communication.content import REQUIRED, Vocabulary, check_message

LABELLED: Final = Path(__file__).with_name("labelled_messages.yaml")
NAMES: Final = Vocabulary(("checkout", "search", "login"), ("eu-1",), ("ana", "bo"))
"""Names that occur in the labelled messages."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Counts over all labels of one kind."""

    right: int
    """Found and labelled."""
    too_many: int
    """Found and not labelled."""
    missed: int
    """Labelled and not found."""

    @property
    def precision(self) -> float | None:
        """Share of what was found that is right; None when nothing was found."""
        return self.right / (self.right + self.too_many) if self.right + self.too_many else None

    @property
    def recall(self) -> float | None:
        """Share of what is there that was found; None when there is nothing."""
        return self.right / (self.right + self.missed) if self.right + self.missed else None


def quality(messages: Iterable[Mapping[str, Any]], names: Vocabulary) -> dict[str, Quality]:
    """Quality per required element, per kind of forbidden phrase, and over both; messages have phase, text, has and forbidden."""
    counts: dict[str, list[int]] = {}

    def count(kind: str, *, found: bool, labelled: bool) -> None:
        for name in (kind, "all elements" if kind in _ELEMENTS else "all forbidden phrases"):
            cell = counts.setdefault(name, [0, 0, 0])
            if found or labelled:
                cell[0 if found and labelled else 1 if found else 2] += 1

    for message in messages:
        report = check_message(message["phase"], message["text"], names)
        for element in REQUIRED[message["phase"]]:
            count(element, found=element in report.present, labelled=element in message["has"])
        for kind in _FORBIDDEN:
            count(kind, found=any(one.kind == kind for one in report.forbidden), labelled=kind in message["forbidden"])
    return {name: Quality(*cell) for name, cell in counts.items()}


def labelled_messages() -> list[dict[str, Any]]:
    """The messages that come with gameday, with labels by hand."""
    found: list[dict[str, Any]] = yaml.safe_load(LABELLED.read_text(encoding="utf-8"))
    return found


def message_check_reference() -> str:
    """The page of the reference, in Markdown."""
    messages = labelled_messages()
    lines = [
        "# The check of messages",
        "",
        "`communication.clarity` rests on a check by patterns: it finds words, not meaning. How well it finds what a reader finds, on",
        f"{len(messages)} messages with labels by hand (`gameday/communication/labelled_messages.yaml`). They were written for this purpose by",
        "the authors of the check, after the patterns, and no pattern was changed because of them; half of them are hard on purpose. On your",
        "own messages it may do worse.",
        "",
        "| what | found and right | found and wrong | missed | precision | recall |",
        "|---|---|---|---|---|---|",
    ]
    found = quality(messages, NAMES)
    order = sorted(found, key=lambda name: (not name.startswith("all"), name))
    for name in order:
        one = found[name]
        lines.append(
            f"| {name.replace('_', ' ')} | {one.right} | {one.too_many} | {one.missed} | {_share(one.precision)} | {_share(one.recall)} |"
        )
    return "\n".join(lines) + "\n"


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.0f} %"


_ELEMENTS = frozenset(element for elements in REQUIRED.values() for element in elements)
_FORBIDDEN = ("blame", "human_error", "counterfactual", "promise")
