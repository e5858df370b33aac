"""What a message must say in its phase, and what no message may say. Deterministic, by patterns, for English text.

    report = check_message("resolved", text, Vocabulary(components=("checkout",)))
    report.missing, report.forbidden, report.warnings, report.score

The rule that surprises: it reads the text, not the template, so that a message written by hand in a war room is checked like a rendered
one. It finds words, not truth: whether a claim is true is the business of the accuracy score. Readability only ever warns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gameday.communication.readability import Readability, readability

Element = Literal[
    "affected", "region", "impact", "started", "cause", "action", "next_update", "confirmation", "ended", "data_loss", "review"
]
MessagePhase = Literal["investigating", "scoping", "identified", "monitoring", "resolved"]
Kind = Literal["blame", "human_error", "counterfactual", "promise", "overstatement"]

REQUIRED: Mapping[MessagePhase, tuple[Element, ...]] = {
    "investigating": ("affected", "started", "next_update"),
    "scoping": ("affected", "region", "impact", "started", "next_update"),
    "identified": ("affected", "region", "impact", "cause", "action", "next_update"),
    "monitoring": ("affected", "action", "next_update"),
    "resolved": ("affected", "confirmation", "ended", "data_loss", "review"),
}
"""What each phase must say. After PagerDuty's external communication guidelines (first post, scoping post, resolution post)."""

FORBIDDEN_COST = 0.25
"""What one forbidden phrase takes off the score. Assumption."""
MOST_WORDS_PER_SENTENCE = 25
"""Longest average sentence without a warning. Assumption."""
HIGHEST_ARI = 12.0
"""Highest automated readability index without a warning (school years; status messages hold names and times). Assumption."""
HIGHEST_LIX = 55.0
"""Highest LIX without a warning; from 55 on Björnsson's scale calls a text very difficult."""

_TIME = r"\b(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?\s?(?:UTC|Z|GMT)\b"
_SPAN = r"\b(?:\d+|an?|half an|one|two|few)\s?(?:min(?:ute)?s?|h(?:ou)?rs?|h|m)\b"
_SOON = rf"(?:{_TIME}|{_SPAN})"
_ELEMENT_PATTERNS: Mapping[Element, str] = {
    "impact": (
        r"\d\s?%|\bpercent\b"
        r"|\b(?:all|some|most|many|few|no)\s+(?:of\s+)?(?:the\s+|our\s+)?"
        r"(?:users|customers|clients|requests|orders|payments|logins|visitors)\b"
        r"|\b(?:cannot|unable to|may (?:see|experience)|fails?|failing)\b"
    ),
    "started": rf"\b(?:since|from|began|begun|started|starting|as of)\b[^.]{{0,40}}?{_TIME}",
    "cause": r"\b(?:the |root )?cause is\b|\b(?:caused by|due to|because of|traced to|result of|identified (?:the|an?) \w+)",
    "action": (
        r"\b(?:mov(?:e|ed|ing)|shift(?:ed|ing)?|fail(?:ed|ing) over|failover|roll(?:ed|ing) back|rollback|restart(?:ed|ing)?"
        r"|restor(?:ed|ing)|promot(?:ed|ing|ion)|add(?:ed|ing)|scal(?:ed|ing)|disabl(?:ed|ing)|switch(?:ed|ing)|block(?:ed|ing)"
        r"|repair(?:ed|ing)|replac(?:ed|ing)|rerout(?:ed|ing)|mitigat(?:ed|ing|ion)|deploy(?:ed|ing)|a (?:fix|change|workaround))\b"
    ),
    "next_update": rf"\b(?:(?:next|further|another) update|will (?:post an )?update)\b[^.]{{0,40}}?{_SOON}",
    "confirmation": r"\b(?:resolved|recovered|restored|confirmed|works? (?:normally )?again|back to normal|operating normally)\b",
    "ended": rf"\b(?:until|ended|over|recovered|restored|resolved|to)\b[^.]{{0,40}}?{_TIME}",
    "data_loss": (
        r"\b(?:data|orders?|writes?|records?|transactions?)\b[^.]{0,60}\b(?:los[ts]|loss|intact|missing|affected|safe)\b"
        r"|\b(?:no|lost|loss of)\b[^.]{0,30}\b(?:data|orders?|writes?|records?|transactions?)\b"
    ),
    "review": r"\b(?:review|post-?mortem|post-?incident|root[- ]cause (?:analysis|report)|incident report)\b",
}
_ELEMENTS = {element: re.compile(pattern, re.IGNORECASE) for element, pattern in _ELEMENT_PATTERNS.items()}

_NEAR = r"[^.!?]{0,60}?"
_WHEN = rf"(?:{_SOON}|\b\d{{1,2}}:\d\d\b|\b(?:soon|shortly|today|tonight|tomorrow)\b)"
_MENDED = r"\b(?:fixed|resolved|restored|back|recovered|working|up)\b"
_FORBIDDEN_PATTERNS: Mapping[Kind, str] = {
    "human_error": r"\b(?:human|operator|user|pilot) error\b|\bcareless(?:ness|ly)?\b|\bnegligen(?:ce|t)\b",
    "counterfactual": (
        r"\b(?:should|could|would|ought to|must)(?: not|n['\u2019]t)? have\b|\bif only\b"
        r"|\bfailed to (?:notice|check|follow|see)\b"
    ),
    "blame": r"\b(?:whose|their|his|her) (?:fault|mistake)\b|\bto blame\b|\bthe fault of\b|\bfault lies\b",
    "promise": (
        rf"\bETA\b|\b(?:will|shall|should) be {_NEAR}{_MENDED}{_NEAR}{_WHEN}"
        rf"|\bexpect\w*\b{_NEAR}(?:{_MENDED}|\brecovery\b|\bresolution\b){_NEAR}{_WHEN}"
    ),
}
_FORBIDDEN = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _FORBIDDEN_PATTERNS.items())
_BLAME_VERBS = r"(?:broke|caused|forgot|failed|ignored|misconfigured|deleted|missed|neglected|pushed|triggered|made (?:a|the) (?:mistake|error))"
_OUTAGE = re.compile(r"\boutage\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Names a message may use. Without `components` no message is found to say what is affected, without `regions` none where."""

    components: tuple[str, ...] = ()
    """What can be affected, as written in messages."""
    regions: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    """Names that must not stand beside a verb of blame."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A forbidden phrase and where it stands."""

    kind: Kind
    phrase: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ContentReport:
    """What a message says and does not say."""

    phase: MessagePhase
    present: tuple[Element, ...]
    missing: tuple[Element, ...]
    forbidden: tuple[Finding, ...]
    readability: Readability
    warnings: tuple[str, ...]

    @property
    def score(self) -> float:
        """Share of the required elements, less the forbidden phrases; 0 to 1. Readability has no part in it."""
        required = len(self.present) + len(self.missing)
        return max(0.0, len(self.present) / required - FORBIDDEN_COST * len(self.forbidden))


def check_message(
    phase: MessagePhase, text: str, vocabulary: Vocabulary | None = None, *, lost_ratio: float | None = None
) -> ContentReport:
    """Check a message. `lost_ratio`: share of requests lost when it was written; below 1 it is no "outage"; None = not judged."""
    names = vocabulary or Vocabulary()
    present = tuple(element for element in REQUIRED[phase] if _says(element, text, names))
    missing = tuple(element for element in REQUIRED[phase] if element not in present)
    measures = readability(text)
    forbidden = _forbidden(text, names, lost_ratio)
    return ContentReport(phase, present, missing, forbidden, measures, _warnings(measures))


def _says(element: Element, text: str, names: Vocabulary) -> bool:
    if element == "affected":
        return _names_one_of(names.components, text)
    if element == "region":
        return _names_one_of(names.regions, text) or re.search(r"\b(?:all|every) regions?\b", text, re.IGNORECASE) is not None
    return _ELEMENTS[element].search(text) is not None


def _names_one_of(words: tuple[str, ...], text: str) -> bool:
    return any(re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text, re.IGNORECASE) for word in words)


def _forbidden(text: str, names: Vocabulary, lost_ratio: float | None) -> tuple[Finding, ...]:
    patterns: list[tuple[Kind, re.Pattern[str]]] = list(_FORBIDDEN)
    if names.people:
        anybody = "|".join(re.escape(person) for person in names.people)
        patterns.append(("blame", re.compile(rf"\b(?:{anybody})\b{_NEAR}\b{_BLAME_VERBS}\b", re.IGNORECASE)))
    if lost_ratio is not None and lost_ratio < 1:
        patterns.append(("overstatement", _OUTAGE))
    found = [Finding(kind, hit[0], hit.start(), hit.end()) for kind, pattern in patterns for hit in pattern.finditer(text)]
    return tuple(sorted(found, key=lambda finding: (finding.start, finding.kind)))


def _warnings(measures: Readability) -> tuple[str, ...]:
    found = []
    if measures.words_per_sentence > MOST_WORDS_PER_SENTENCE:
        found.append(f"sentences of {measures.words_per_sentence:.0f} words on average; write at most {MOST_WORDS_PER_SENTENCE}")
    if measures.ari > HIGHEST_ARI:
        found.append(f"automated readability index {measures.ari:.1f}; keep it below {HIGHEST_ARI:.0f}")
    if measures.lix > HIGHEST_LIX:
        found.append(f"LIX {measures.lix:.0f}; keep it below {HIGHEST_LIX:.0f}")
    return tuple(found)
