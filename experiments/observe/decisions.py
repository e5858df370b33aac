"""What waits for somebody's word on a live day: a failover or a failback that a role must approve.

The rule that surprises: a word counts for the request it was given to. One that is withdrawn, because what it was about has passed, cannot be
approved any more, and the next one needs a word of its own (as in the simulation).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal


@dataclass(slots=True, eq=False)
class Request:
    """One thing that waits."""

    what: Literal["failover", "failback"]
    subject: str
    """The region that is left or gone back to."""
    role: str
    approved: bool | None = None
    by: str = ""
    then: Callable[[Request], None] | None = None
    """Called in a thread of its own once somebody has said something."""
    _said: threading.Event = field(default_factory=threading.Event)

    def wait(self, within_s: float) -> bool:
        """Whether somebody has said something, at the latest after so long."""
        return self._said.wait(within_s)


class Decisions:
    """Everything that waits; safe to be used from several threads."""

    def __init__(self, roles: Mapping[str, Sequence[str]]) -> None:
        """`roles`: who may speak for a role; one that is not in it has nobody, and whoever is in the cast may."""
        self._roles = roles
        self._lock = threading.Lock()
        self._waiting: list[Request] = []

    def ask(self, request: Request) -> Request:
        """Let it wait."""
        with self._lock:
            self._waiting.append(request)
        return request

    def withdraw(self, request: Request) -> bool:
        """What it was about has passed; False when somebody has just spoken."""
        with self._lock:
            if request in self._waiting:
                self._waiting.remove(request)
                return True
        return False

    def say(self, person: str, subject: str | None, *, approved: bool) -> Request | str:
        """A person approves or rejects what waits, the oldest where no subject is named; or why they cannot."""
        with self._lock:
            found = next((one for one in self._waiting if subject in (None, one.subject)), None)
            if found is None:
                return "nothing waits for approval" + (f" about {subject}" if subject else "")
            if found.role in self._roles and person not in self._roles[found.role]:
                return f"{found.what} of {found.subject} waits for the {found.role}: {', '.join(self._roles[found.role])}"
            self._waiting.remove(found)
            found.approved, found.by = approved, person
            found._said.set()
        if found.then is not None:
            threading.Thread(target=found.then, args=(found,), daemon=True).start()
        return found
