"""Policies of a call in the kernel: breaker, rate limit, choice of target.

The twins of `sim.traffic.breaker`, `bucket` and of `Edge.choose`. The rule that surprises: a draw is made only where the
configuration leaves something to chance, exactly as there.
"""

from __future__ import annotations

from sim.traffic.compiled.jit import Reals, Words, kernel, part
from sim.traffic.compiled.layout import (
    B_AT,
    B_BURST,
    B_RATE,
    B_TOKENS,
    CLOSED,
    E_DNS_DRAWS,
    E_DNS_FAILED,
    E_EPOCH,
    E_FAILURE_LIMIT,
    E_FAILURES_IN_ROW,
    E_NUMBER,
    E_OPEN_S,
    E_OPTION_DRAWS,
    E_REOPENS_AT,
    E_STATE,
    E_TARGET_COUNT,
    E_TARGETS,
    E_TRIALS,
    E_TRYING,
    E_WEIGHTS,
    E_WINDOW,
    H_NOW,
    HALF_OPEN,
    OPEN,
    W_AT,
    W_BAD,
    W_COUNT,
    W_MINIMUM,
    W_RATIO,
    W_RESULTS,
    W_SIZE,
)
from sim.traffic.compiled.primitives import draw, note
from sim.traffic.noted import BREAKER_CLOSED, BREAKER_OPENED
from sim.traffic.plan import Reason

_DNS, _NO_ROUTE = int(Reason.DNS), int(Reason.NO_ROUTE)
_ROUNDING = 1e-9


@part
def lets_through(word: Words, real: Reals, edge: int) -> bool:
    """Whether the breaker, which is not closed, lets an attempt through; half open, this takes one of the trials."""
    if word[edge + E_STATE] == OPEN:
        if real[H_NOW] < real[edge + E_REOPENS_AT]:
            return False
        word[edge + E_STATE] = HALF_OPEN
        word[edge + E_EPOCH] += 1
        word[edge + E_TRYING] = 0
    if word[edge + E_TRYING] >= word[edge + E_TRIALS]:
        return False
    word[edge + E_TRYING] += 1
    return True


@kernel
def breaker_succeeded(word: Words, real: Reals, edge: int, epoch: int) -> None:
    """Take note of a success of an attempt let through in `epoch`."""
    if epoch != word[edge + E_EPOCH]:
        return
    word[edge + E_FAILURES_IN_ROW] = 0
    if word[edge + E_STATE] == CLOSED:
        if word[edge + E_WINDOW]:
            keep(word, word[edge + E_WINDOW], 0)
    else:
        word[edge + E_STATE] = CLOSED
        word[edge + E_EPOCH] += 1
        note(word, real, BREAKER_CLOSED, word[edge + E_NUMBER], 0)


@part
def too_many(word: Words, real: Reals, edge: int) -> bool:
    """Whether the failure just counted is one too many for a closed breaker; then its window is emptied."""
    window = word[edge + E_WINDOW]
    if window == 0:
        in_row: bool = word[edge + E_FAILURES_IN_ROW] >= word[edge + E_FAILURE_LIMIT]
        return in_row
    keep(word, window, 1)
    count = word[window + W_COUNT]
    if count < word[window + W_MINIMUM] or word[window + W_BAD] < real[window + W_RATIO] * count:
        return False
    word[window + W_COUNT] = 0
    word[window + W_BAD] = 0
    word[window + W_AT] = 0
    return True


@part
def keep(word: Words, window: int, failed: int) -> None:
    """Take an outcome into a breaker's window; the oldest falls out."""
    at = word[window + W_AT]
    if word[window + W_COUNT] == word[window + W_SIZE]:
        word[window + W_BAD] -= word[window + W_RESULTS + at]
    else:
        word[window + W_COUNT] += 1
    word[window + W_RESULTS + at] = failed
    word[window + W_BAD] += failed
    at += 1
    word[window + W_AT] = 0 if at == word[window + W_SIZE] else at


@kernel
def breaker_failed(word: Words, real: Reals, edge: int, epoch: int) -> None:
    """Take note of a failure of an attempt let through in `epoch`."""
    if epoch != word[edge + E_EPOCH]:
        return
    word[edge + E_FAILURES_IN_ROW] += 1
    was_closed = word[edge + E_STATE] == CLOSED
    if was_closed and not too_many(word, real, edge):
        return
    word[edge + E_STATE] = OPEN
    word[edge + E_EPOCH] += 1
    word[edge + E_FAILURES_IN_ROW] = 0
    real[edge + E_REOPENS_AT] = real[H_NOW] + real[edge + E_OPEN_S]
    if was_closed:
        note(word, real, BREAKER_OPENED, word[edge + E_NUMBER], 0)


@part
def take_token(real: Reals, bucket: int) -> bool:
    """Take one token of a rate limit; False if there is none."""
    now = real[H_NOW]
    tokens = real[bucket + B_TOKENS] + (now - real[bucket + B_AT]) * real[bucket + B_RATE]
    tokens = min(tokens, real[bucket + B_BURST])
    real[bucket + B_AT] = now
    if tokens < 1.0 - _ROUNDING:
        real[bucket + B_TOKENS] = tokens
        return False
    tokens = tokens - 1.0
    real[bucket + B_TOKENS] = max(tokens, 0.0)
    return True


@kernel
def choose(word: Words, real: Reals, edge: int) -> int:
    """The target of one attempt, or minus 1 minus the reason why there is none."""
    if real[edge + E_DNS_FAILED] > 0.0 and draw(word, real, edge + E_DNS_DRAWS) < real[edge + E_DNS_FAILED]:
        return -1 - _DNS
    count = word[edge + E_TARGET_COUNT]
    if count == 0:
        return -1 - _NO_ROUTE
    targets = word[edge + E_TARGETS]
    target: int = word[targets]
    if count == 1:
        return target
    left = draw(word, real, edge + E_OPTION_DRAWS) * real[edge + E_WEIGHTS]
    for number in range(count):
        target = word[targets + 2 * number]
        left -= real[targets + 2 * number + 1]
        if left < 0.0:
            break
    return target
