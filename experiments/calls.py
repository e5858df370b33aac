"""HTTP calls to a target's control interfaces: JSON in, JSON out, a timeout always, a proxy never.

The rule that surprises: an error's message never holds a header, so no token can reach a log through it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from gameday.errors import GamedayError

TIMEOUT_S = 5.0
_OPENER = build_opener(ProxyHandler({}))


class CallError(GamedayError):
    """A control interface refused or did not answer; `status` is the HTTP status, 0 where there was none."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


def call(
    method: str,
    url: str,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Any:
    """The JSON (or text) that the server answers. CallError otherwise."""
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, {"Content-Type": "application/json", **(headers or {})}, method=method)  # noqa: S310 - allow-listed
    try:
        with _OPENER.open(request, timeout=timeout_s) as answer:
            text = answer.read().decode("utf-8", "replace")
    except HTTPError as error:
        detail = error.read(1000).decode("utf-8", "replace").strip()
        raise CallError(f"{method} {url} answered {error.code}{': ' + detail if detail else ''}", error.code) from None
    except (URLError, OSError, HTTPException) as error:
        raise CallError(f"{method} {url} did not answer: {getattr(error, 'reason', None) or error}") from None
    try:
        return json.loads(text) if text.strip() else None
    except ValueError:
        return text


def status_of(url: str, timeout_s: float = TIMEOUT_S, method: str = "GET") -> int:
    """The HTTP status a URL answers with; 0 when it does not answer."""
    try:
        with _OPENER.open(Request(url, method=method), timeout=timeout_s) as answer:  # noqa: S310 - allow-listed
            return int(answer.status)
    except HTTPError as error:
        return error.code
    except (URLError, OSError, HTTPException):
        return 0
