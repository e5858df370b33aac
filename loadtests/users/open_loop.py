"""Open-loop arrivals: each request has its intended start, and its latency is counted from there.

The rule that surprises: the driver never waits for an answer. When too many requests are under way to send one more, that arrival is
counted as dropped by the generator; it is no answer of the system.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, ClassVar

import gevent
from gevent.pool import Pool
from locust import FastHttpUser, task
from locust.contrib.fasthttp import FAILURE_EXCEPTIONS

from gameday.load_stream import bucket_of
from gameday.scenario.load import RequestClass
from gameday.target import Route
from gameday.wire import REASON_HEADER, REASONS, filled, is_shed
from loadtests.arrivals import intended_starts
from loadtests.plan import LoadPlan
from loadtests.recorder import Recorder
from loadtests.resolver import REFRESH_EVERY_S, Population

MOST_UNDER_WAY = 2000
"""Requests one driver may have under way."""
LATE_S = 0.1
"""An arrival sent later than this after its intended start is noted: the generator cannot keep up."""


class Refused(Exception):  # noqa: N818 - it is what Locust shows as the cause of a failure
    """A request that was not answered well; the text is the reason."""


@dataclass(slots=True)
class Reply:
    """What came back for one attempt: `reason` is None for a good answer, else why it is none."""

    reason: str | None
    region: str
    size: int = 0
    answered: bool = True


class OpenLoop(FastHttpUser):
    """One driver of one class; subclasses are made by the locustfile."""

    abstract = True
    host = "http://127.0.0.1"
    concurrency = MOST_UNDER_WAY
    plan: ClassVar[LoadPlan]
    recorder: ClassVar[Recorder]
    request_class: ClassVar[str]
    model: ClassVar[RequestClass]
    route: ClassVar[Route]
    started: ClassVar[int] = 0

    def on_start(self) -> None:
        """Take the next number: every driver has its own share of the arrivals."""
        kind = type(self)
        self.number = kind.started
        kind.started += 1
        self.random = Random(f"{self.plan.seed}/{self.request_class}/{self.plan.drivers}/{self._worker()}/{self.number}")
        origins = self.model.origins or {name: each.share for name, each in self.plan.scenario.system.traffic.origins.items()}
        homes = self.plan.scenario.system.traffic.origins
        self.origins, self.weights = list(origins), list(origins.values())
        dns, override = self.plan.scenario.system.traffic.dns, self.plan.scenario.policies.failover.dns_ttl
        ttl_s = dns.ttl if override is None else override
        self.clients = {
            name: Population(self.plan.target, homes[name].region, dns, self.random, ttl_s, partial(self.recorder.moved, name))
            for name in self.origins
        }

        self.pool = Pool(MOST_UNDER_WAY)
        self.renewing = gevent.spawn(self._renew)

    def on_stop(self) -> None:
        """What a driver has under way would go on when somebody stops the test in the middle of the day: users, and their names."""
        self.renewing.kill()
        self.pool.kill()

    def _renew(self) -> None:
        """Keep the caches of names as fresh as their other clients would."""
        while True:
            gevent.sleep(min((each.pause_s() for each in self.clients.values()), default=REFRESH_EVERY_S))
            for each in self.clients.values():
                each.renew_all()

    def _worker(self) -> int:
        return int(getattr(self.environment.runner, "worker_index", 0))

    @task
    def drive(self) -> None:
        """Send everything until the day is over, then only wait."""
        if self.model.users is not None:
            self._drive_users(self.pool)
        else:
            self._drive_arrivals(self.pool)
        self.pool.join(timeout=self.model.timeout + 1.0)
        while True:
            gevent.sleep(1.0)

    def _drive_arrivals(self, pool: Pool) -> None:
        share = 1.0 / self.plan.drivers
        for due in intended_starts(self.model, self.plan.scenario.duration, self.random, share):
            wait_s = due - self.recorder.now()
            if wait_s > 0.0:
                gevent.sleep(wait_s)
            elif wait_s < -LATE_S:
                self.recorder.note("late_s", -wait_s)
            origin = self.random.choices(self.origins, self.weights)[0]
            if pool.full():
                self.recorder.of(self.request_class, origin).dropped += 1
            else:
                pool.spawn(self._one, due, origin, self.random.randint(1, self.route.items))

    def _drive_users(self, pool: Pool) -> None:
        assert self.model.users is not None, "a closed class has users"
        mine = len(range(self.number, self.model.users, self.plan.drivers))
        for number in range(mine):
            pool.spawn(self._user, Random(f"{self.plan.seed}/{self.request_class}/user/{self.number}/{number}"))

    def _user(self, random: Random) -> None:
        """Think, ask, wait for the answer, again."""
        gevent.sleep(max(0.0, -self.recorder.now()))
        while True:
            gevent.sleep(random.expovariate(1.0 / self.model.think) if self.model.think else 0.0)
            if self.recorder.now() >= self.plan.scenario.duration:
                return
            self._one(self.recorder.now(), random.choices(self.origins, self.weights)[0], random.randint(1, self.route.items))

    def _one(self, due: float, origin: str, item: int) -> None:
        """One request with its retries: one outcome."""
        self.recorder.of(self.request_class, origin).offered += 1
        unique = uuid.uuid4().hex
        retries = self.model.retries
        reply = self._attempt(origin, item, unique)
        for attempt in range(retries.attempts):
            if reply.reason is None or self.recorder.now() - due >= self.model.deadline:
                break
            gevent.sleep(self.random.uniform(0.0, min(retries.backoff_cap, retries.backoff * 2.0**attempt)))
            reply = self._attempt(origin, item, unique)
        latency_s = self.recorder.now() - due
        if reply.reason is None and latency_s > self.model.deadline:
            reply.reason = "late"
        self._count(origin, reply, latency_s)

    def _count(self, origin: str, reply: Reply, latency_s: float) -> None:
        counts = self.recorder.of(self.request_class, origin)
        if reply.answered:
            counts.latency[bucket_of(latency_s)] += 1
        if reply.reason is None:
            counts.good += 1
            counts.served[reply.region] += 1
        else:
            counts.lost[reply.reason] += 1
        shed = reply.reason in {"shed", "rate_limited", "queue_full"}
        self.environment.events.request.fire(
            request_type=self.route.method,
            name=f"{self.request_class} (shed)" if shed else self.request_class,
            response_time=latency_s * 1000.0,
            response_length=reply.size,
            exception=None if reply.reason is None or shed else Refused(reply.reason),
            context={},
        )

    def _attempt(self, origin: str, item: int, unique: str) -> Reply:
        place = self.clients[origin].place()
        if place is None:
            return Reply("dns", "", answered=False)
        region, entry = place
        self.recorder.of(self.request_class, origin).sent[region] += 1
        path, body = filled(self.route, item, unique)
        public = self.plan.target.public
        headers = {"Content-Type": "application/json", "X-Request-Class": self.request_class, **self.route.headers}
        if public is not None:
            headers["Host"] = public.name
        began = time.monotonic()
        try:
            answer: Any = self.client.client.urlopen(entry + path, method=self.route.method, headers=headers, payload=body)
        except FAILURE_EXCEPTIONS as error:
            answer = getattr(error, "response", None)
            if answer is None:
                return Reply(_why(error, time.monotonic() - began, self.model.timeout), region, answered=False)
        return Reply(_reason(answer), region, len(answer.content or b""))


def _reason(answer: Any) -> str | None:
    """Why an answer is not good; None when it is."""
    status = int(answer.status_code)
    if 200 <= status < 400:
        return None
    headers = {str(name).lower(): str(value) for name, value in answer.headers.items()}
    said = headers.get(REASON_HEADER)
    if said in REASONS:
        return said
    if is_shed(status, "retry-after" in headers):
        return "rate_limited" if status == 429 else "shed"
    return "timeout" if status == 504 else "error"


def _why(error: Exception, took_s: float, timeout_s: float) -> str:
    """Why there was no answer at all."""
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, TimeoutError) or took_s >= timeout_s * 0.98:
        return "timeout"
    return "crashed"
