"""Readability by formulas that count letters, not syllables: they need no dictionary and give the same number everywhere."""

from __future__ import annotations

import re
from dataclasses import dataclass

LONG_WORD = 7
"""Letters from which LIX counts a word as long."""

_WORD = re.compile(r"[^\W_]+(?:['\u2019.:-][^\W_]+)*")
_SENTENCE_END = re.compile(r"[.!?]+(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Readability:
    """How hard a text is to read."""

    words: int
    sentences: int
    words_per_sentence: float
    ari: float
    """Automated readability index: school years needed (Senter and Smith, 1967)."""
    lix: float
    """LIX: 20 very easy, 40 medium, 60 very difficult (Björnsson, 1968)."""


def readability(text: str) -> Readability:
    """Measures of a text; all zero when it has no words.

    ARI = 4.71 x letters / words + 0.5 x words / sentences - 21.43. LIX = words / sentences + 100 x long words / words.
    """
    words = [re.sub(r"[\W_]", "", word) for word in _WORD.findall(text)]
    if not words:
        return Readability(0, 0, 0.0, 0.0, 0.0)
    sentences = max(1, len([part for part in _SENTENCE_END.split(text) if _WORD.search(part)]))
    per_sentence = len(words) / sentences
    ari = 4.71 * sum(map(len, words)) / len(words) + 0.5 * per_sentence - 21.43
    lix = per_sentence + 100 * sum(len(word) >= LONG_WORD for word in words) / len(words)
    return Readability(len(words), sentences, per_sentence, ari, lix)
