"""Who learns that an attempt has failed, on the caller's side of the kernel.

The rule that surprises: a failure is counted at the station it was sent to, for the reason its caller learns; one that was never sent has no
instance, and is counted at its edge.
"""

from __future__ import annotations

from sim.traffic.compiled.gates import let_go
from sim.traffic.compiled.jit import Reals, Words, part
from sim.traffic.compiled.kin import RUNNING, unlink
from sim.traffic.compiled.layout import (
    A_EPOCH,
    A_INSTANCE,
    E_BREAKER,
    E_CANCEL,
    E_FAILURES,
    E_GUARDED,
    E_UNSENT_BY,
    I_STATION,
    S_FAILED_BY,
)
from sim.traffic.compiled.policies import breaker_failed


@part
def count_failure(word: Words, real: Reals, edge: int, attempt: int, reason: int) -> None:
    """An attempt has failed: counters, breaker, bulkhead and pool learn it."""
    if word[attempt + A_INSTANCE]:
        word[word[word[attempt + A_INSTANCE] + I_STATION] + S_FAILED_BY + reason] += 1
    else:
        word[edge + E_UNSENT_BY + reason] += 1
    if word[edge + E_CANCEL] == RUNNING:
        unlink(word, attempt)
    word[edge + E_FAILURES] += 1
    if word[edge + E_BREAKER]:
        breaker_failed(word, real, edge, word[attempt + A_EPOCH])
    if word[edge + E_GUARDED]:
        let_go(word, real, attempt)
