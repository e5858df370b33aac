"""The list of calls a visit can give up, in the kernel: an attempt is on it while its caller waits for it.

The rule that surprises: the list keeps the order in which the calls were made, so both engines give them up in the same one.
"""

from __future__ import annotations

from sim.traffic.compiled.jit import Words, kernel
from sim.traffic.compiled.layout import A_CHILDREN, A_EDGE, A_ELDER, A_OPEN, A_PARENT, A_SIBLING, A_YOUNGEST, E_ASYNCHRONOUS

RUNNING = 2  # an edge that cancels what runs


@kernel
def link(word: Words, attempt: int) -> None:
    """Put an attempt at the end of its parent's list; calls nobody waits for and those of clients are on none."""
    parent = word[attempt + A_PARENT]
    if parent == 0 or word[word[attempt + A_EDGE] + E_ASYNCHRONOUS]:
        return
    last = word[parent + A_YOUNGEST]
    word[attempt + A_ELDER] = last
    word[attempt + A_SIBLING] = 0
    if last:
        word[last + A_SIBLING] = attempt
    else:
        word[parent + A_CHILDREN] = attempt
    word[parent + A_YOUNGEST] = attempt


@kernel
def unlink(word: Words, attempt: int) -> None:
    """Take an attempt its caller has waited for until now off the list."""
    parent = word[attempt + A_PARENT]
    if parent == 0 or word[attempt + A_OPEN] == 0 or word[word[attempt + A_EDGE] + E_ASYNCHRONOUS]:
        return
    elder = word[attempt + A_ELDER]
    younger = word[attempt + A_SIBLING]
    if elder:
        word[elder + A_SIBLING] = younger
    else:
        word[parent + A_CHILDREN] = younger
    if younger:
        word[younger + A_ELDER] = elder
    else:
        word[parent + A_YOUNGEST] = elder
