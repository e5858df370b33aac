"""Prometheus: the value of a query now.

The rule that surprises: no data is None and never a number; who asks has to say what silence means.
"""

from __future__ import annotations

import math
from typing import Any
from urllib.parse import urlencode

from experiments.calls import CallError, call
from gameday.errors import GamedayError


class Prometheus:
    """One server."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def ready(self) -> bool:
        """Whether it answers queries."""
        try:
            return self.value("vector(1)") == 1.0
        except CallError:
            return False

    def value(self, query: str) -> float | None:
        """The value of a query that gives one number or one series; None where it gives nothing or NaN."""
        answer = call("GET", f"{self._url}/api/v1/query?{urlencode({'query': query})}")
        if not isinstance(answer, dict) or answer.get("status") != "success":
            raise GamedayError(f"Prometheus could not answer {query!r}: {answer}")
        result = answer["data"]["result"]
        if answer["data"]["resultType"] == "scalar":
            found = float(result[1])
        elif len(result) == 1:
            found = float(result[0]["value"][1])
        elif not result:
            return None
        else:
            raise GamedayError(f"{query!r} gives {len(result)} series, and one is needed; aggregate it, e.g. with sum()")
        return None if math.isnan(found) else found

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts that are pending or firing now."""
        answer = call("GET", f"{self._url}/api/v1/alerts")
        return list(answer["data"]["alerts"])
