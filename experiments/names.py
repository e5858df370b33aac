"""Lookups of the public name at the target's own DNS server, without any cache in between."""

from __future__ import annotations

import os
import socket

from gameday.wire import Found, dns_answer, dns_question

TIMEOUT_S = 1.0


def lookup(resolver: str, name: str, timeout_s: float = TIMEOUT_S) -> Found | None:
    """The addresses of a name; None when the server does not answer, or answers that it cannot say."""
    host, _, port = resolver.rpartition(":")
    number = int.from_bytes(os.urandom(2), "big")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.settimeout(timeout_s)
        try:
            opened.sendto(dns_question(name, number), (host, int(port)))
            return dns_answer(opened.recv(4096), number)
        except OSError:
            return None


def resolves(resolver: str, name: str) -> bool:
    """Whether a lookup finds an address."""
    found = lookup(resolver, name)
    return found is not None and bool(found.addresses)
