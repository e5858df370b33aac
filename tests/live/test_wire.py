"""DNS messages against an independent library; what counts as refused on purpose."""

from __future__ import annotations

import dnslib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.target import Route
from gameday.wire import dns_answer, dns_question, filled, is_shed


def test_the_question_is_what_dnslib_asks() -> None:
    read = dnslib.DNSRecord.parse(dns_question("shop.lab", 77))
    assert (read.header.id, str(read.q.qname), read.q.qtype, read.header.rd) == (77, "shop.lab.", dnslib.QTYPE.A, 1)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 86400)), max_size=5))
def test_answers_of_dnslib_are_understood(records: list[tuple[int, int]]) -> None:
    answer = dnslib.DNSRecord.question("shop.lab").reply()
    answer.header.id = 9
    addresses = [".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0)) for number, _ in records]
    for address, (_, ttl) in zip(addresses, records, strict=True):
        answer.add_answer(dnslib.RR("shop.lab", dnslib.QTYPE.A, ttl=ttl, rdata=dnslib.A(address)))
    found = dns_answer(answer.pack(), 9)
    assert found is not None
    assert found.addresses == tuple(addresses)
    assert found.ttl_s == min((ttl for _, ttl in records), default=0)


def test_an_answer_to_another_question_or_an_error_is_none() -> None:
    answer = dnslib.DNSRecord.question("shop.lab").reply()
    answer.header.id = 9
    assert dns_answer(answer.pack(), 8) is None
    answer.header.rcode = dnslib.RCODE.SERVFAIL
    assert dns_answer(answer.pack(), 9) is None


@settings(deadline=None)
@given(st.binary(max_size=80))
def test_no_answer_breaks_the_reader(content: bytes) -> None:
    dns_answer(content, 0)


@pytest.mark.parametrize(
    ("status", "retry_after", "shed"), [(429, False, True), (503, True, True), (503, False, False), (500, True, False)]
)
def test_refused_on_purpose_is_429_or_503_that_says_when(status: int, retry_after: bool, shed: bool) -> None:
    assert is_shed(status, retry_after) is shed


def test_a_route_is_filled_with_item_and_id() -> None:
    route = Route(method="POST", path="/buy/{item}", body={"id": "{id}", "count": 2})
    assert filled(route, 7, "abc") == ("/buy/7", b'{"id": "abc", "count": 2}')
    assert filled(Route(path="/"), 1, "x") == ("/", None)
