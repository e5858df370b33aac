"""Lists of attempts that are circles: what runs on an instance, and each of its queues.

The rule that surprises: a list begins and ends in a pair of words, first and last, which is taken for an attempt that lies around it, so that
nobody has to ask whether a neighbour is an attempt or the end. An empty list is its own neighbour.
"""

from __future__ import annotations

from sim.traffic.compiled.jit import Words, part
from sim.traffic.compiled.layout import A_BEFORE, A_NEXT

assert A_BEFORE == A_NEXT + 1


@part
def end_of(pair: int) -> int:
    """What stands in the place of an attempt behind the last and before the first."""
    return pair - A_NEXT


@part
def clear(word: Words, pair: int) -> None:
    """Let a list be empty."""
    word[pair] = end_of(pair)
    word[pair + 1] = end_of(pair)


@part
def append(word: Words, pair: int, attempt: int) -> None:
    """Put an attempt at the end of a list."""
    last = word[pair + 1]
    word[attempt + A_NEXT] = end_of(pair)
    word[attempt + A_BEFORE] = last
    word[last + A_NEXT] = attempt
    word[pair + 1] = attempt


@part
def remove(word: Words, attempt: int) -> None:
    """Take an attempt out of its list, wherever it stands."""
    before = word[attempt + A_BEFORE]
    following = word[attempt + A_NEXT]
    word[before + A_NEXT] = following
    word[following + A_BEFORE] = before
