"""From a document to a checked model: every problem at once, each with its file and line, in words of the scenario language.

pydantic does the checking; its own words, and the branches of its unions, never reach the user: a value that fits no alternative
of a union is one problem.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from gameday.errors import BadInput, Problem, nearest, shown
from gameday.scenario.quantities import WRITTEN_BY_HAND
from gameday.scenario.reading import shown_value
from gameday.scenario.translation import translated
from gameday.scenario.tree import Document, Path, ScalarNode, dotted

Model = TypeVar("Model", bound=BaseModel)
_NOT_GIVEN: Any = object()


def validate(model: type[Model], document: Document, context: Mapping[str, Any] | None = None) -> Model:
    """The model made from the document. Raises BadInput with all problems, in the order they stand in the files."""
    whole_context = {**(context or {}), WRITTEN_BY_HAND: True}
    try:
        return model.model_validate(document.data, context=whole_context)
    except ValidationError as error:
        problems = translated(error, model, document, whole_context)
        raise BadInput(in_reading_order(problems)) from None


def in_reading_order(problems: Iterable[Problem]) -> list[Problem]:
    """By file, line and column; each problem once."""
    return sorted(dict.fromkeys(problems), key=lambda problem: (problem.file or "", problem.line or 0, problem.column or 0))


class Checks:
    """Collects problems between parts of a document, e.g. a name that nothing has; raises them all at once."""

    def __init__(self, document: Document) -> None:
        """The document gives the positions."""
        self.document = document
        self.problems: list[Problem] = []

    def problem(
        self,
        path: Path,
        message: str,
        *,
        value: object = _NOT_GIVEN,
        candidates: Iterable[str] = (),
        of_key: bool = False,
    ) -> None:
        """Note that what is at `path` is wrong.

        The value is read from the document unless one is given (None: show none); the suggestion is the nearest candidate;
        `of_key` says that the key, not its value, is wrong: it gives the position, and the value unless one is given.
        """
        node = self.document.node(path)
        of_key = of_key or (node is not None and not isinstance(node, ScalarNode) and value is _NOT_GIVEN)
        position = self.document.position(path, of_key=of_key)
        words = list(candidates)
        if value is _NOT_GIVEN:
            if of_key and words and path and isinstance(path[-1], str):
                value = path[-1]
            else:
                value = shown_value(node) if isinstance(node, ScalarNode) and not of_key else None
        text = None if value is None else shown(value)
        suggestion = nearest(value, words) if value is not None else None
        self.problems.append(Problem(*position, dotted(path), text, message, suggestion))

    def raise_if_any(self) -> None:
        """Raise BadInput if there were problems."""
        if self.problems:
            raise BadInput(in_reading_order(self.problems))
