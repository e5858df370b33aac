"""Where everything lies in the arena of the compiled engine: one name per 8-byte word of each kind of record.

A prefix names the record: `H_` header, `A_` attempt, `I_` instance, `S_` station, `E_` edge, `T_` target, `F_` flow, `U_` user, `P_` path,
`B_` token bucket, `L_` limiter, `C_` cache, `K_` a key's entry in it, `G_` gate, `W_` window of a breaker, `R_` ring of timers,
`D_` stream of draws, `M_` piece of mail. Comments say which words hold floats.

The rule that surprises: a reference to a record is its absolute position in the arena, and records never move. When a table that must
be contiguous (heap, ring, log) grows, a longer one is laid out at the end of the arena and the old one is left lying.
"""

from __future__ import annotations

from itertools import accumulate

from sim.traffic.plan import Reason


def _places(count: int, wide: dict[int, int]) -> list[int]:
    """Where the items of a record begin, one behind the other; `wide` has the words of those that need more than one."""
    return list(accumulate((wide.get(item, 1) for item in range(count - 1)), initial=0))


ALIGNMENT = 8  # words: a cache line; the heap drops the low three bits of a reference

(
    H_NOW,  # float
    H_TICK,  # the last sequence number given out
    H_STOP,  # not 0: something runs short, go back to Python before the next step
    H_HEAP,
    H_HEAP_SIZE,
    H_HEAP_LIMIT,
    H_HOLE,  # 1: the root of the heap has been taken and not been filled
    H_FREE,
    H_FREE_COUNT,
    H_RESERVE,  # how much of everything one step may use
    H_LOW,
    H_LOW_COUNT,
    H_NOTES,
    H_NOTES_COUNT,
    H_NOTES_LIMIT,
    H_MAIL_FREE,
    H_MAIL_COUNT,
    H_ENTERED,
    H_BUCKETS,
    H_OPERATION,  # registers of the machine, kept while Python provides what ran short
    H_ATTEMPT,
    H_OUTCOME,
    H_THEN,  # 1: the visit being left had been parked, and its caller is still to be told
    H_CRASHED,  # the agenda: attempts that died with their instance,
    H_SCRATCH_AT,
    H_SCRATCH_END,
    H_AGENDA_KIND,  # held attempts to look at after a thaw or an end of blocked commits,
    H_AGENDA_MAIL,  # and mail to deliver
    H_INSTANCES,  # first of the list of all instances
    H_TRACE,  # number of the traced request on whose behalf a call is made, 0: it is not traced
    H_TRACED,  # the last such number given out
    H_MARKS,
    H_MARK_COUNT,
    H_MARK_LIMIT,
    H_WATCHES,
    H_WATCH_COUNT,
    H_WATCH_LIMIT,
    H_WATCH_NUMBER,  # the last number given to a watch
    H_LOST_ALL,  # lost requests of all flows
    H_FETCH,  # the entry of a cache that the call being made is to fill, or 0
) = (*range(29), *range(40, 51))
(
    H_CALENDAR,  # of ends of work
    H_SOONEST,  # the first of them
    H_DAYS_A_SECOND,  # float
    H_MEASURED_AT,  # float: since when days are as long as that
    H_MEASURED_TICK,
    H_MISFITS,  # ends of work since then that were not the first of a day of this year
) = range(29, 35)
HEADER_WORDS = 64
H_ASKED, H_SUBJECT, H_NUMBER = range(60, 63)  # what Python wants of the kernel, and of whom
H_OUTLIERS = 63  # whether any station ejects outliers

STOP_FOR_DRAWS, STOP_FOR_ROOM = 1, 2

# Stages of an attempt, as in `sim.traffic.state`.
NOWHERE, QUEUED, WORKING, CALLING, COMMITTING, PARKED, DONE, WAITING, CONNECTED, JOINED = range(10)
WORK, ANSWER, TIMER, RETRY, ARRIVAL, THOUGHT, SWITCH, DUE, WAITED, GRANTED, CANCEL, HEDGE, RETURN = range(13)
PENDING, OK = -1, -2
CALL, READ, WRITE = range(3)
CLOSED, OPEN, HALF_OPEN = range(3)
ROUND_ROBIN, LEAST_BUSY, RANDOM, POWER_OF_TWO, ZONE_AWARE = range(5)
FOR_THAW, FOR_COMMITS = range(2)

(
    A_STAGE,
    A_HOLDS,  # who still refers to it: caller, callee, answer under way, retry to come, mail
    A_SEQUENCE,
    A_OPEN,  # the sequence while the caller waits, else 0
    A_TOKEN,
    A_EDGE,
    A_INSTANCE,
    A_PARENT,  # 0 for clients
    A_PARENT_SEQUENCE,
    A_CALLER,  # the calling instance
    A_LIFE,
    A_FLOW,
    A_NEXT,  # in the list of those running, in a queue, among the free
    A_BEFORE,
    A_HELD_SINCE,  # float
    A_PENDING,
    A_PRIORITY,
    A_NUMBER,
    A_PATH,
    A_FATE,
    A_OUTCOME,
    A_EPOCH,
    A_DUE,  # float
    A_POSITION,
    A_BORN,  # float: when the request entered the system
    A_ARRIVED_AT,  # float: when it reached its instance
    A_TRACE,  # number of the traced request it is made for, or 0
    A_FETCH,  # the entry of a cache its answer is for, or 0
) = (*range(26), 31, 30)
ATTEMPT_WORDS = 40
# Words of policies few plans use, in a cache line of their own: neither written nor read where they are not.
A_UNTIL = 32  # float: the deadline of the request, if it travels with it
A_GATE = 33
A_CHILDREN, A_YOUNGEST, A_SIBLING, A_ELDER = range(34, 38)  # calls that can be given up: first, last, neighbours on the list
A_TWIN, A_TWIN_SEQUENCE = 38, 39  # the other attempt of a hedged pair
A_USER, A_ENTERED = A_CALLER, A_LIFE  # what a client's attempt has instead
A_DAY, A_LATER = 27, 28  # where on the calendar the end of its work is, 0: on the heap; the next on that day
A_STEP, A_REPEAT = A_DUE, 26  # while it makes its calls, and has no work left

_INSTANCE_PLACES = [*range(12), 28, *range(13, 19), *range(24, 28), 12]
(
    I_STATION,
    I_ROW,  # the paths that begin in its zone
    I_COLUMN,  # its zone's place in such a row
    I_SLOTS,
    I_QUEUE_LIMIT,
    I_UP,
    I_FROZEN,
    I_IN_ROTATION,
    I_LIFE,
    I_ROOM,
    I_PACE,  # float
    I_ERRORS,  # float
    I_SLOWDOWN,  # float
    I_ERROR_RATIO,  # float
    I_RUNNING,
    I_FIRST,
    I_LAST,
    I_QUEUED,
    I_LANES,  # three pairs of head and tail
    I_MAIL,
    I_MAIL_LAST,
    I_NEXT,
    I_FILLED_AT,  # float
    I_LIMITER,
) = _INSTANCE_PLACES
INSTANCE_WORDS = 40
I_CACHES = 39  # where its caches are listed, up to a 0
I_GATES, I_GATE_COUNT = 32, 33  # one for each of its edges that has any
I_DRAINED, I_EJECTED, I_EJECTIONS, I_FAILURES_IN_ROW, I_RETURNED_AT = range(34, 39)  # the last is a float

G_CALLS, G_CONNECTIONS, G_FIRST, G_LAST = range(4)
GATE_WORDS = 4

# What every attempt touches of a station comes first, in three cache lines.
(
    S_CALLS,  # two words per class: where its edges are listed, how many
    S_PARALLEL,
    S_ROTATION,
    S_ROTATION_SIZE,
    S_BALANCING,
    S_PICKY,
    S_CANCELS,  # whether it makes calls that can be given up
    S_KEEPS_WRITES,
    S_BARRED,  # three
    S_ADMITTED_BY,  # three
    S_TIMES,  # a stream
    S_BUSY_S,  # float: of visits that are over
    S_BROKER,
    S_LATENCY,  # where its histograms are, one per class
    S_DROPS,  # the sum of BY_CODEL and BY_DEADLINE
    S_LIFO_ABOVE,
    S_PRIORITY_LANES,
    S_ARRIVED,
    S_COMPLETED,
    S_FAILED,
    S_BUSY,
    S_QUEUED,
    S_SLOTS,
    S_SHED_BELOW_LIMIT,
    S_READS,
    S_WRITES_ATTEMPTED,
    S_WRITES_ACKNOWLEDGED,
    S_WRITES_INDETERMINATE,
    S_REFUSED_BY,  # three
    S_DROPPED_BY,  # three: dropped from the queue, by priority
    S_ERRORS,  # a stream
    S_ADMIT,  # three floats
    S_READ_ONLY,
    S_STALE,
    S_COMMIT_BLOCKED,
    S_COMMIT_DELAY,  # float
    S_LOG,
    S_LOG_FLAGS,
    S_LOG_COUNT,
    S_LOG_LIMIT,
    S_LOG_BASE,
    S_NUMBER,
    S_BUSY_NOW_S,  # float: of all, at the last observation
    S_CODEL_TARGET,  # float
    S_CODEL_INTERVAL,  # float
    S_DEAD_LETTERS,
    S_WASTED,  # visits completed after their caller had given up
    S_PANICS,  # whether it panics: everybody listed is in rotation
    S_LIMIT,  # float: of all limiters of instances that are up, at the last observation
    S_LIMITED,  # refused by a limiter
    S_PANIC,  # float
    S_OUTLIER,  # how it ejects outliers, 0 if it does not
    S_MEMBER_COUNT,
    S_MEMBERS,  # all instances
    S_SORTED,  # the rotation, sorted by zone
    S_BY_ZONE,  # how many zones; per zone: instances in rotation; per zone: where its instances begin in S_SORTED
    S_FAILED_BY,  # by reason: attempts sent here that have failed, as their callers learnt it
) = _places(57, {8: 3, 9: 3, 10: 2, 28: 3, 29: 3, 30: 2, 31: 3})
STATION_WORDS = 96
BY_CODEL, BY_DEADLINE = 1, 2

# As of a station, what every attempt touches of an edge comes first.
(
    E_ENABLED,
    E_WHOLE,
    E_FRACTION,  # float
    E_BRANCH_DRAWS,  # a stream
    E_CACHE,  # 0: none, else which of the caches of a calling instance is this edge's, counted from 1
    E_ASYNCHRONOUS,
    E_REQUIRED,
    E_BREAKER,
    E_STATE,
    E_EARNS,
    E_EPOCH,
    E_GUARDED,
    E_SINGLE,
    E_HEDGES,  # whether
    E_CANCEL,
    E_CUT,
    E_OPERATION,
    E_RING,
    E_TIMEOUT,  # float
    E_FAILURES_IN_ROW,
    E_WINDOW,  # a breaker's window, 0 if it counts failures in a row
    E_RETRIES,
    E_ATTEMPTS,
    E_FAILURES,
    E_RETRIED,
    E_SKIPPED,
    E_CANCELLED,
    E_HEDGED,
    E_HITS,
    E_MISSES,
    E_JOINED,
    E_HEDGE_S,  # float: after how long it hedges
    E_DNS_FAILED,  # float
    E_FALLBACK,
    E_TARGETS,  # pairs of a target and its weight
    E_TARGET_COUNT,
    E_WEIGHTS,  # float: their sum
    E_BACKOFF,  # float
    E_BACKOFF_CAP,  # float
    E_EARN,  # float
    E_BUDGET,  # float
    E_BURST,  # float
    E_FAILURE_LIMIT,
    E_OPEN_S,  # float
    E_TRIALS,
    E_REOPENS_AT,  # float
    E_TRYING,
    E_NUMBER,
    E_OPTION_DRAWS,  # five streams
    E_BACKOFF_DRAWS,
    E_LOSS_DRAWS,
    E_DNS_DRAWS,
    E_BALANCE_DRAWS,
    E_KEYS,  # a stream
    E_BULKHEAD,
    E_CONNECTIONS,
    E_POOL_WAIT,  # float
    E_GATE,
    E_COALESCE,
    E_CAPACITY,
    E_TTL,  # float
    E_UNSENT_BY,  # by reason: attempts that failed before they were sent anywhere
) = _places(62, {3: 2, 48: 2, 49: 2, 50: 2, 51: 2, 52: 2, 53: 2})
EDGE_WORDS = 104

T_STATION, T_TURN, T_TURNS = range(3)  # turns: where it stands in each zone
TARGET_WORDS = 4

(
    F_PRIORITY,
    F_CLASS,
    F_DEADLINE,  # float
    F_ENTRY,
    F_FACTOR,  # float
    F_SEGMENT,
    F_MASS,  # float
    F_MASS_AT,  # float
    F_TOKEN,
    F_DRAWS,  # a stream
    F_TABLE,  # pairs of floats: start, rate
    F_TABLE_SIZE,
    F_ROW,
    F_BUCKET,
    F_THINK,  # float
    F_USERS,
    F_USER_COUNT,
    F_OFFERED,
    F_GOOD,
    F_ENTERED,  # pairs by station: good, lost
    F_PLACES,  # stations in the order in which they first had one
    F_PLACE_COUNT,
    F_ANSWERED,
    F_LOST,  # by reason
    F_EXTRA,  # float: the rate of the present state of its bursts
    F_BURSTY,
    F_BURSTING,
    F_CALM_RATE,  # float
    F_BURST_RATE,  # float
    F_CALM_S,  # float
    F_BURST_S,  # float
    F_BURST_DRAWS,  # a stream
    F_TRACE_EVERY,  # every how manyth request is traced, 0: none
    F_LOST_ALL,
    F_LATENCY,  # by bucket
) = (*range(10), *range(11, 25), *range(52, 60), 63, 61, 64)
F_PROPAGATES = 62
REASONS = len(Reason)
assert F_LOST + REASONS <= F_EXTRA
assert S_FAILED_BY + REASONS <= STATION_WORDS
assert E_UNSENT_BY + REASONS <= EDGE_WORDS

(
    L_LIMIT,  # float
    L_LONG,  # float
    L_TOTAL,  # float
    L_ENDS_AT,  # float
    L_WINDOWS,
    L_ANSWERS,
    L_MOST_HELD,
    L_ADAPTIVE,
    L_FIRST,  # float
    L_LEAST,  # float
    L_MOST,  # float
    L_WINDOW,  # float
    L_SHARES,  # three floats
) = range(13)
LIMITER_WORDS = 16

C_COUNT, C_NEWEST, C_OLDEST, C_KEY_COUNT = range(4)
C_KEYS = 8  # where the entries of all keys begin
K_THERE, K_EXPIRES_AT, K_NEWER, K_OLDER, K_FETCHED, K_FIRST, K_LAST = range(7)  # the second is a float; the last two have joined
KEY_WORDS = 8

U_FLOW, U_THINKING, U_LEFT, U_DUE, U_TOKEN = range(5)  # left and due are floats
USER_WORDS = 8

P_DELAY, P_CLEAR_THERE, P_CLEAR_BACK, P_THERE_CUT, P_BACK_CUT, P_THERE_LOSS, P_BACK_LOSS = range(7)  # delay and losses are floats
P_AT_ONCE = 7  # whether an answer is there at once
PATH_WORDS = 8

B_ACTIVE, B_RATE, B_BURST, B_TOKENS, B_AT = range(5)  # all but the first are floats
TOKEN_BUCKET_WORDS = 8

DAYS = 4096
MONTHS = DAYS  # 64 words of a bit per day
YEAR = MONTHS + DAYS // 64  # a bit per such word
NOBODY = YEAR + ALIGNMENT  # an attempt that ends its work never
CALENDAR_WORDS = NOBODY + ATTEMPT_WORDS

R_TABLE, R_MASK, R_HEAD, R_TAIL, R_ARMED = range(5)
RING_WORDS = 8
TIMER_WORDS = 4  # deadline (float), sequence, attempt

D_AT, D_LIMIT = range(2)  # a stream lies in the record of what draws from it; limit 0: nothing is left to chance yet
M_KIND, M_ATTEMPT, M_NEXT = range(3)
MAIL_WORDS = 4

W_WHAT, W_SUBJECT, W_BOUND, W_AT_LEAST, W_LASTING, W_SINCE, W_FIRED, W_NUMBER = range(8)  # bound, lasting and since are floats
WATCH_WORDS = 8
WATCH_BUSY, WATCH_QUEUED, WATCH_UTILISATION, WATCH_HELD, WATCH_IN_FLIGHT, WATCH_LOST, WATCH_BREAKER = range(7)

NEVER = 2**63 - 1  # later than the bits of any time
FRACTION_BITS = 6  # so many that no two edges of an octave of a histogram agree in them

MARK_WORDS = 9  # time (float), kind, request, attempt's sequence, parent's sequence, edge or flow, instance, number, outcome
O_FAILURES, O_BASE, O_LONGEST, O_INTERVAL, O_MOST = range(5)  # outlier ejection; all but the first are floats
OUTLIER_WORDS = 5

W_SIZE, W_MINIMUM, W_RATIO, W_COUNT, W_BAD, W_AT, W_RESULTS = range(7)  # the window of a breaker; the ratio is a float

NOTE_WORDS = 4  # time (float), position in NOTE_KINDS, edge or station (as a number), instance or 0
