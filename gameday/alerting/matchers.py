"""Alertmanager's matchers: `label="value"`, `!=`, `=~`, `!~`; all must hold.

    parse_matcher('region=~"eu-.*"')

The rule that surprises: a missing label is an empty one (`team=""` matches alerts without a team), and expressions are anchored at both
ends. They are Go's expressions (RE2) read by Python: the few forms that only one of the two knows (`\\z`, `\\pN`, look-ahead) are
refused or mean what Python says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, cast

from gameday.alerting.alert import Labels

Operator = Literal["=", "!=", "=~", "!~"]
_MATCHER = re.compile(
    r"""\s*(?P<label>[a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?P<operator>=~|=|!=|!~)\s*(?P<value>"(?:[^"\\]|\\.)*"|[^"]*?)\s*"""
)
_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label."""

    label: str
    operator: Operator
    value: str

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether labels meet it."""
        found = labels.get(self.label, "")
        if self.operator in ("=", "!="):
            return (found == self.value) == (self.operator == "=")
        return (_compiled(self.value).fullmatch(found) is not None) == (self.operator == "=~")

    def __str__(self) -> str:
        """As Alertmanager writes it."""
        escaped = self.value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
        return f'{self.label}{self.operator}"{escaped}"'


Matchers = tuple[Matcher, ...]
"""All must hold; none of them matches everything."""


def matches(matchers: Iterable[Matcher], labels: Labels | Mapping[str, str]) -> bool:
    """Whether labels meet all matchers."""
    found = labels if isinstance(labels, Mapping) else dict(labels)
    return all(matcher.holds(found) for matcher in matchers)


def one_of(label: str, values: Iterable[str]) -> Matcher:
    """The matcher that holds for any of some values."""
    words = sorted(set(values))
    return Matcher(label, "=", words[0]) if len(words) == 1 else Matcher(label, "=~", "|".join(map(re.escape, words)))


def parse_matcher(text: str) -> Matcher:
    """A matcher as it is written. Raises ValueError that says what is wrong."""
    found = _MATCHER.fullmatch(text)
    if found is None:
        raise ValueError('must be label="value", or with !=, =~, !~ in place of =')
    value = found["value"]
    if value.startswith('"'):
        value = re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[0]), value[1:-1])
    matcher = Matcher(found["label"], cast("Operator", found["operator"]), value)
    if matcher.operator in ("=~", "!~"):
        try:
            _compiled(value)
        except re.error as error:
            raise ValueError(f"is not a regular expression: {error}") from None
    return matcher


def parse_matchers(text: str) -> Matchers:
    """Matchers separated by commas, in braces or not, as Alertmanager's configuration has them. Raises ValueError."""
    inner = text.strip()
    if inner.startswith("{") and inner.endswith("}"):
        inner = inner[1:-1]
    parts = re.findall(r'(?:"(?:[^"\\]|\\.)*"|[^",])+', inner)
    return tuple(parse_matcher(part) for part in parts if part.strip())


@lru_cache(maxsize=1024)
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.DOTALL)
