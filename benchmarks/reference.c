/* The engine's algorithm in C, for benchmarks/c_reference.py: what a compiler makes of it when nothing of Python is near.
 *
 * It plays what the three workloads need (one instance a station, exponential work, slots held through parallel calls, timeouts in rings,
 * retries with full jitter, breakers, shedding by class) with the structures of sim/traffic/compiled: a calendar of the ends of work beside a
 * 4-ary heap whose root may be a hole, one ring per timeout, reference-counted records on a free list. It is measured, not shipped, and bounds are generous instead of growing.
 * Input: a plan as numbers on standard input (see c_reference.py). Output: seconds, offered, good, lost, mean latency, attempts. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef int64_t i64;
typedef uint64_t u64;

/* Random numbers: xoshiro256++ per stream, exponentials by Marsaglia and Tsang's ziggurat of 256 layers. */
typedef struct { u64 s[4]; } Stream;
static u64 ke[256];
static double we[256], fe[256];

static u64 rotl(u64 x, int k) { return (x << k) | (x >> (64 - k)); }
static u64 bits(Stream *r) {
    u64 *s = r->s, out = rotl(s[0] + s[3], 23) + s[0], t = s[1] << 17;
    s[2] ^= s[0]; s[3] ^= s[1]; s[1] ^= s[2]; s[0] ^= s[3]; s[2] ^= t; s[3] = rotl(s[3], 45);
    return out;
}
static double uniform(Stream *r) { return (double)(bits(r) >> 11) * 0x1p-53; }
static void seed(Stream *r, u64 number) {
    for (int i = 0; i < 4; i++) {
        u64 z = (number += 0x9e3779b97f4a7c15ULL);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        r->s[i] = z ^ (z >> 31);
    }
}
static void layers(void) {
    const double m = 9007199254740992.0; /* 2^53 */
    double de = 7.69711747013104972, te = de, ve = 3.9496598225815571993e-3;
    double q = ve / exp(-de);
    ke[0] = (u64)((de / q) * m); ke[1] = 0;
    we[0] = q / m; we[255] = de / m;
    fe[0] = 1.0; fe[255] = exp(-de);
    for (int i = 254; i >= 1; i--) {
        de = -log(ve / de + exp(-de));
        ke[i + 1] = (u64)((de / te) * m);
        te = de; fe[i] = exp(-de); we[i] = de / m;
    }
}
static double exponential(Stream *r) {
    for (;;) {
        u64 u = bits(r);
        int i = (int)(u & 255);
        u >>= 11;
        double x = (double)u * we[i];
        if (u < ke[i]) return x;
        if (i == 0) return 7.69711747013104972 - log(1.0 - uniform(r));
        if (fe[i] + uniform(r) * (fe[i - 1] - fe[i]) < exp(-x)) return x;
    }
}

/* The system. */
enum { WORK, TIMER, RETRY, ARRIVAL };
enum { PENDING = -1, LOST = 0, GOOD = 1 };
enum { NOWHERE, QUEUED, WORKING, CALLING, DONE };
typedef struct { double born, held, due; i64 sequence, open, parent_sequence, token; int later, day;
                 int parent, edge, flow, number, stage, pending, holds, epoch, next, before; } Attempt;
typedef struct { Stream times; double mean, pace, busy_s, admit[3]; int slots, limit, running, queued, first, last, head, tail, count, *calls; i64 completed, failed; } Station;
typedef struct {
    Stream coins, jitter; double chance, timeout, backoff, cap, open_s, until;
    int target, retries, breaker, trials, ring, state, in_row, epoch, trying; i64 attempts, failures;
} Edge;
typedef struct { Stream draws; double rate; int entry, priority; i64 offered, good, lost; double latency; } Flow;
typedef struct { double at; i64 key; } Entry;
typedef struct { double deadline; i64 sequence; int attempt; } Timer;
typedef struct { double timeout; i64 head, tail; int armed; Timer *table; } Ring;

#define RECORDS (1 << 20)
#define RING (1 << 20)
static Attempt *A;
static int free_record;
static Entry *heap;
static int heap_size, hole;
static i64 ticks;
static double now;
static Station S[512];
static Edge E[4096];
static Flow F[8];
static Ring R[64];
static int stations, edges, flows, rings;

static int before(Entry a, Entry b) { return a.at < b.at || (a.at == b.at && a.key < b.key); }
static void sink(Entry e) {
    int place = 0, child = 1;
    while (child < heap_size) {
        int last = child + 4 < heap_size ? child + 4 : heap_size, best = child;
        for (int i = child + 1; i < last; i++) if (before(heap[i], heap[best])) best = i;
        if (before(e, heap[best])) break;
        heap[place] = heap[best];
        place = best;
        child = 4 * best + 1;
    }
    heap[place] = e;
}
static void fill_hole(void) { hole = 0; Entry e = heap[--heap_size]; if (heap_size) sink(e); }
static void push(double at, i64 sequence, int kind, int subject) {
    Entry e = {at, (sequence << 29) | ((i64)kind << 25) | subject};
    if (hole) { hole = 0; sink(e); return; }
    int place = heap_size++;
    while (place) {
        int above = (place - 1) >> 2;
        if (!before(e, heap[above])) break;
        heap[place] = heap[above];
        place = above;
    }
    heap[place] = e;
}
static int take(void) { int a = free_record; free_record = A[a].next; if (!free_record) { fprintf(stderr, "out of records\n"); exit(1); } return a; }
static void release(int a) { if (--A[a].holds == 0) { A[a].next = free_record; free_record = a; } }

/* The calendar: a bit per day on which work ends, a bit per 64 such days, and each day's list in order. */
#define DAYS 4096
#define LONGEST_LINE 6
#define MISFITS 4096
static int days[DAYS], soonest;
static u64 months[DAYS / 64], year;
static double days_a_second = 1000.0, measured_at;
static i64 measured_tick;
static int misfits;

static void put_first(int a, int day) {
    A[a].later = days[day]; A[a].day = day; days[day] = a;
    months[day >> 6] |= 1ULL << (day & 63);
    year |= 1ULL << (day >> 6);
}
static void take_soonest(void) {
    int day = A[soonest].day, month = day >> 6;
    days[day] = A[soonest].later;
    if (days[day]) { soonest = days[day]; return; }
    months[month] &= ~(1ULL << (day & 63));
    u64 later = months[month] & (~0ULL << (day & 63));
    if (!later) {
        if (!months[month]) year &= ~(1ULL << month);
        if (!year) { soonest = 0; return; }
        later = year & (~0ULL << month) & ~(1ULL << month);
        month = __builtin_ctzll(later ? later : year);
        later = months[month];
    }
    soonest = days[(month << 6) + __builtin_ctzll(later)];
}
static void measure_again(void) {
    misfits = 0;
    double elapsed = now - measured_at;
    if (elapsed <= 0.0) return;
    double good = 2.0 * (double)(ticks - measured_tick) / elapsed;
    if (good < 1.0) good = 1.0;
    measured_at = now; measured_tick = ticks;
    if (days_a_second / 2.0 <= good && good <= days_a_second * 2.0) return;
    int latest = 0;
    while (soonest) { int a = soonest; take_soonest(); A[a].later = latest; latest = a; }
    days_a_second = good;
    while (latest) {
        int a = latest;
        latest = A[a].later;
        if ((A[a].due - now) * good >= DAYS - 1) push(A[a].due, A[a].token, WORK, a);
        else { put_first(a, (int)((i64)(A[a].due * good) & (DAYS - 1))); soonest = a; }
    }
}
static void misfit(void) { if (++misfits >= MISFITS) measure_again(); }
static void schedule(int a, double due) {
    A[a].due = due; A[a].token = ++ticks;
    if ((due - now) * days_a_second >= DAYS - 1) { push(due, A[a].token, WORK, a); misfit(); return; }
    int day = (int)((i64)(due * days_a_second) & (DAYS - 1)), first = days[day];
    if (first && due >= A[first].due) {
        for (int i = 0, before = first; i < LONGEST_LINE; i++, before = A[before].later) {
            int following = A[before].later;
            if (following && due >= A[following].due) continue;
            A[a].later = following; A[a].day = day; A[before].later = a;
            misfit();
            return;
        }
        push(due, A[a].token, WORK, a);
        misfit();
        return;
    }
    put_first(a, day);
    if (!soonest || due < A[soonest].due) soonest = a;
}

static void start(int a, Station *s) {
    A[a].before = s->last; A[a].next = 0;
    if (s->last) A[s->last].next = a; else s->first = a;
    s->last = a; s->running++;
    A[a].held = now; A[a].stage = WORKING;
    schedule(a, now + exponential(&s->times) * s->mean * s->pace);
}
static void pump(Station *s) {
    while (s->queued && s->running < s->slots) {
        int a = s->head;
        s->head = A[a].next;
        if (s->head) A[s->head].before = 0; else s->tail = 0;
        s->queued--;
        start(a, s);
    }
}
static int receive(int a, Station *s, int priority) {
    if (s->running < s->slots) { A[a].holds++; start(a, s); return PENDING; }
    if (s->queued >= s->limit || s->queued >= s->limit * s->admit[priority]) { s->failed++; return LOST; }
    A[a].holds++; A[a].stage = QUEUED; A[a].held = now; A[a].before = s->tail; A[a].next = 0;
    if (s->tail) A[s->tail].next = a; else s->head = a;
    s->tail = a; s->queued++;
    return PENDING;
}
static void purge(Ring *r) { while (r->head < r->tail) { Timer *t = &r->table[r->head & (RING - 1)]; if (A[t->attempt].open == t->sequence) break; r->head++; } }
static void add_timer(int ring, i64 sequence, int a) {
    Ring *r = &R[ring];
    purge(r);
    r->table[r->tail & (RING - 1)] = (Timer){now + r->timeout, sequence, a};
    if (r->head == r->tail && !r->armed) { r->armed = 1; push(now + r->timeout, sequence, TIMER, ring); }
    if (++r->tail - r->head >= RING) { fprintf(stderr, "ring is full\n"); exit(1); }
}
static int lets_through(Edge *e) {
    if (e->state == 1) { if (now < e->until) return 0; e->state = 2; e->epoch++; e->trying = 0; }
    if (e->trying >= e->trials) return 0;
    e->trying++;
    return 1;
}
static void breaker_failed(Edge *e, int epoch) {
    if (epoch != e->epoch) return;
    if (e->state == 2 || ++e->in_row >= e->breaker) { e->state = 1; e->epoch++; e->in_row = 0; e->until = now + e->open_s; }
}
static void breaker_succeeded(Edge *e, int epoch) { if (epoch != e->epoch) return; e->in_row = 0; if (e->state) { e->state = 0; e->epoch++; } }
static void schedule_retry(Edge *e, int a) {
    double longest = e->backoff;
    for (int i = 0; i < A[a].number && i < 60; i++) longest *= 2.0;
    if (longest > e->cap) longest = e->cap;
    A[a].holds++;
    push(now + longest * uniform(&e->jitter), ++ticks, RETRY, a);
}
static int attempt_call(int edge, int parent, i64 parent_sequence, int flow, int number, double born) {
    Edge *e = &E[edge];
    int a = take(), reason = LOST;
    Attempt *t = &A[a];
    *t = (Attempt){.born = born, .parent = parent, .parent_sequence = parent_sequence, .edge = edge, .flow = flow, .number = number};
    if (!e->breaker || !e->state || lets_through(e)) {
        t->epoch = e->epoch;
        e->attempts++;
        Station *s = &S[e->target];
        t->sequence = t->open = ++ticks;
        t->holds = 1;
        if (receive(a, s, F[flow].priority) == PENDING) { add_timer(e->ring, t->sequence, a); return PENDING; }
        t->open = 0; t->holds = 0;
        e->failures++;
        if (e->breaker) breaker_failed(e, t->epoch);
    }
    if (number < e->retries) { schedule_retry(e, a); return PENDING; }
    t->next = free_record; free_record = a;
    return reason;
}
static void root_over(Flow *f, double born, int ok) { if (ok) { f->good++; f->latency += now - born; } else f->lost++; }

static void call_over(int a, int ok);
static void settle(int a, int ok) {
    Edge *e = &E[A[a].edge];
    A[a].open = 0;
    if (ok) { if (e->breaker && (e->state || e->in_row)) breaker_succeeded(e, A[a].epoch); call_over(a, 1); return; }
    e->failures++;
    if (e->breaker) breaker_failed(e, A[a].epoch);
    int p = A[a].parent;
    int gone = p && (A[p].sequence != A[a].parent_sequence || A[p].stage != CALLING);
    if (!gone && A[a].number < e->retries) { schedule_retry(e, a); release(a); return; }
    call_over(a, 0);
}
static void leave(int a, int ok) {
    Station *s = &S[E[A[a].edge].target];
    int b = A[a].before, n = A[a].next;
    if (b) A[b].next = n; else s->first = n;
    if (n) A[n].before = b; else s->last = b;
    s->running--;
    A[a].stage = DONE;
    s->busy_s += now - A[a].held;
    if (ok) s->completed++; else s->failed++;
    pump(s);
    if (A[a].open) { A[a].holds--; settle(a, ok); return; }
    release(a);
}
static void call_over(int a, int ok) {
    int p = A[a].parent;
    if (!p) { int f = A[a].flow; double born = A[a].born; release(a); root_over(&F[f], born, ok); return; }
    int present = A[p].sequence == A[a].parent_sequence && A[p].stage == CALLING;
    release(a);
    if (!present) return;
    if (!ok) { leave(p, 0); return; }
    if (--A[p].pending == 0) leave(p, 1);
}
static void worked(int a) {
    Station *s = &S[E[A[a].edge].target];
    int pending = 0, failed = 0;
    A[a].stage = CALLING;
    for (int i = 0; i < s->count; i++) {
        Edge *e = &E[s->calls[i]];
        if (e->chance < 1.0 && uniform(&e->coins) >= e->chance) continue;
        if (attempt_call(s->calls[i], a, A[a].sequence, A[a].flow, 0, A[a].born) == PENDING) pending++; else failed = 1;
    }
    A[a].pending = pending;
    if (failed || !pending) leave(a, !failed);
}
static void play(double until) {
    for (;;) {
        if (hole) fill_hole();
        if (soonest && (!heap_size || A[soonest].due < heap[0].at || (A[soonest].due == heap[0].at && A[soonest].token < heap[0].key >> 29))) {
            int a = soonest;
            if (A[a].due > until) break;
            now = A[a].due;
            take_soonest();
            worked(a);
            continue;
        }
        if (!heap_size || heap[0].at > until) break;
        now = heap[0].at;
        i64 key = heap[0].key;
        hole = 1;
        int kind = (int)(key >> 25) & 15, x = (int)(key & 0x1FFFFFF);
        if (kind == WORK) worked(x);
        else if (kind == ARRIVAL) {
            Flow *f = &F[x];
            push(now + exponential(&f->draws) / f->rate, ++ticks, ARRIVAL, x);
            f->offered++;
            if (attempt_call(f->entry, 0, 0, x, 0, now) != PENDING) root_over(f, now, 0);
        } else if (kind == TIMER) {
            Ring *r = &R[x];
            int late = 0;
            if (r->head < r->tail) {
                Timer *t = &r->table[r->head & (RING - 1)];
                if (t->sequence == key >> 29) { r->head++; if (A[t->attempt].open == t->sequence) late = t->attempt; }
            }
            purge(r);
            r->armed = r->head < r->tail;
            if (r->armed) { Timer *t = &r->table[r->head & (RING - 1)]; push(t->deadline, t->sequence, TIMER, x); }
            if (late) settle(late, 0);
        } else {
            int p = A[x].parent;
            if (!p || (A[p].sequence == A[x].parent_sequence && A[p].stage == CALLING)) {
                int reason = attempt_call(A[x].edge, p, A[x].parent_sequence, A[x].flow, A[x].number + 1, A[x].born);
                if (reason != PENDING) { call_over(x, 0); continue; }
            }
            release(x);
        }
    }
    now = until;
}
static double number(void) { double x; if (scanf("%lf", &x) != 1) { fprintf(stderr, "the plan ends early\n"); exit(1); } return x; }

int main(void) {
    layers();
    A = calloc(RECORDS, sizeof *A);
    heap = calloc(RECORDS, sizeof *heap);
    for (int i = 1; i < RECORDS; i++) A[i].next = i + 1 < RECORDS ? i + 1 : 0;
    free_record = 1;
    u64 root = (u64)number() * 1000003ULL;
    stations = (int)number(); edges = (int)number(); flows = (int)number();
    int changes = (int)number();
    double until = number();
    for (int i = 0; i < stations; i++) {
        Station *s = &S[i];
        s->mean = number(); s->slots = (int)number(); s->limit = (int)number(); s->pace = 1.0;
        for (int p = 0; p < 3; p++) s->admit[p] = number();
        s->count = (int)number(); s->calls = calloc((size_t)s->count + 1, sizeof(int));
        for (int c = 0; c < s->count; c++) s->calls[c] = (int)number();
        seed(&s->times, root + (u64)i);
    }
    for (int i = 0; i < edges; i++) {
        Edge *e = &E[i];
        e->target = (int)number(); e->chance = number(); e->timeout = number(); e->retries = (int)number(); e->backoff = number(); e->cap = number();
        e->breaker = (int)number(); e->open_s = number(); e->trials = (int)number();
        for (e->ring = 0; e->ring < rings && R[e->ring].timeout != e->timeout; e->ring++) {}
        if (e->ring == rings) { R[rings].timeout = e->timeout; R[rings++].table = calloc(RING, sizeof(Timer)); }
        seed(&e->coins, root + 10000 + (u64)i); seed(&e->jitter, root + 20000 + (u64)i);
    }
    for (int i = 0; i < flows; i++) {
        F[i].rate = number(); F[i].entry = (int)number(); F[i].priority = (int)number();
        seed(&F[i].draws, root + 30000 + (u64)i);
    }
    clock_t begun = clock();
    for (int i = 0; i < flows; i++) push(exponential(&F[i].draws) / F[i].rate, ++ticks, ARRIVAL, i);
    for (int i = 0; i < changes; i++) {
        double at = number();
        int target = (int)number(), slots = (int)number();
        double pace = number();
        play(at);
        if (slots >= 0) S[target].slots = slots;
        if (pace > 0.0) S[target].pace = pace;
        pump(&S[target]);
    }
    play(until);
    double seconds = (double)(clock() - begun) / CLOCKS_PER_SEC, latency = 0.0;
    i64 offered = 0, good = 0, lost = 0, attempts = 0;
    for (int i = 0; i < flows; i++) { offered += F[i].offered; good += F[i].good; lost += F[i].lost; latency += F[i].latency; }
    for (int i = 0; i < edges; i++) attempts += E[i].attempts;
    printf("%.9f %ld %ld %ld %.12g %ld\n", seconds, (long)offered, (long)good, (long)lost, latency, (long)attempts);
    return 0;
}
