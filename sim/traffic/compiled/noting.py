"""What is put on the record about attempts of traced requests on the caller's side, in the kernel.

The rule that surprises: an attempt that was refused before it was sent has no number, and its failure is all there is of it.
"""

from __future__ import annotations

from sim.traffic.compiled.jit import Reals, Words, kernel
from sim.traffic.compiled.layout import (
    A_EDGE,
    A_INSTANCE,
    A_NUMBER,
    A_PARENT,
    A_PARENT_SEQUENCE,
    A_SEQUENCE,
    H_TRACE,
)
from sim.traffic.compiled.primitives import mark
from sim.traffic.marks import FAILED, SENT


@kernel
def note_sent(word: Words, real: Reals, attempt: int) -> None:
    """Mark an attempt of the traced request that leaves its caller."""
    parent = word[attempt + A_PARENT_SEQUENCE] if word[attempt + A_PARENT] else 0
    sequence, edge, instance = word[attempt + A_SEQUENCE], word[attempt + A_EDGE], word[attempt + A_INSTANCE]
    mark(word, real, SENT, word[H_TRACE], sequence, parent, edge, instance, word[attempt + A_NUMBER], 0)


@kernel
def note_failure(
    word: Words, real: Reals, attempt: int, edge: int, parent: int, parent_sequence: int, number: int, reason: int
) -> None:
    """Mark an attempt of the traced request that has failed; one that never left its caller has no record (0)."""
    sequence = word[attempt + A_SEQUENCE] if attempt else 0
    mark(word, real, FAILED, word[H_TRACE], sequence, parent_sequence if parent else 0, edge, 0, number, reason)
