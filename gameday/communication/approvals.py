"""Approvals before a message leaves the organisation: in order, each by somebody who holds the role.

The rule that surprises: a chain does not wait in silence. If nobody of the next role can be had, or the role has nobody at all, it
says so, and the message is not published: an external message without approval is a hard failure, a late one is not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gameday.people import Availability

if TYPE_CHECKING:
    from gameday.scenario.communication import Audience

ApprovalState = Literal["waiting", "approved", "rejected", "nobody_available", "nobody_in_role"]

_EASIEST_FIRST: tuple[Availability, ...] = ("in_office", "awake", "asleep")


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval that was given."""

    at: float
    role: str
    person: str


@dataclass(frozen=True, slots=True)
class Approver:
    """Who can be asked for the next approval."""

    person: str
    role: str
    must_be_paged: bool
    """Asleep: a page has to wake them first."""


def required_approvals(audience: Audience) -> tuple[str, ...]:
    """Roles that must approve a message to an audience, in order; inside the organisation none."""
    return tuple(audience.approvals) if audience.external else ()


def spokesperson_roles(audience: Audience) -> tuple[str, ...]:
    """Roles that may publish to an audience: its spokespersons, else the author's role."""
    return tuple(audience.spokespersons) or (audience.author,)


def publication_problems(audience: Audience, role: str, approved_by_roles: Collection[str]) -> list[str]:
    """Why a message may not be published to an audience by somebody in `role`, in words; empty = it may."""
    if not audience.external:
        return []
    found = [f"{needed} has not approved it" for needed in required_approvals(audience) if needed not in approved_by_roles]
    allowed = spokesperson_roles(audience)
    if role not in allowed:
        found.append(f"{role or 'somebody without a role'} published it, only {' or '.join(allowed)} may")
    return found


class ApprovalChain:
    """The approvals of one message; told answers, asked who is next."""

    def __init__(
        self,
        roles: Sequence[str],
        holders: Mapping[str, Sequence[str]],
        availability: Callable[[str, float], Availability],
    ) -> None:
        """`roles` in order; `holders`: role to people in order of preference; `availability` of a person at an instant."""
        self.roles = tuple(roles)
        self.given: list[Approval] = []
        self.rejected_by: tuple[str, str] | None = None
        """Person and reason, after a rejection."""
        self._holders = holders
        self._availability = availability

    @property
    def next_role(self) -> str | None:
        """The role whose approval is missing next; None when nothing is missing or it was rejected."""
        return self.roles[len(self.given)] if self.rejected_by is None and len(self.given) < len(self.roles) else None

    def state(self, now: float) -> ApprovalState:
        """Where the chain stands at an instant."""
        if self.rejected_by is not None:
            return "rejected"
        role = self.next_role
        if role is None:
            return "approved"
        if not self._holders.get(role):
            return "nobody_in_role"
        return "waiting" if self.approver(now) else "nobody_available"

    def approver(self, now: float) -> Approver | None:
        """Whom to ask now: of the next role the one easiest to be had (at work, awake, asleep), then the first in order."""
        role = self.next_role
        if role is None:
            return None
        people = {person: self._availability(person, now) for person in self._holders.get(role, ())}
        for wanted in _EASIEST_FIRST:
            for person, how in people.items():
                if how == wanted:
                    return Approver(person, role, must_be_paged=how == "asleep")
        return None

    def approve(self, now: float, person: str) -> bool:
        """The next role approves; whether that was the last one. Only somebody who holds the role can."""
        self._must_hold_next_role(person)
        assert self.next_role is not None
        self.given.append(Approval(now, self.next_role, person))
        return self.next_role is None

    def reject(self, person: str, why: str) -> None:
        """The next role refuses; the chain is over, and the message has to be written anew."""
        self._must_hold_next_role(person)
        self.rejected_by = (person, why)

    def _must_hold_next_role(self, person: str) -> None:
        role = self.next_role
        assert role is not None, "nothing is left to approve"
        assert person in self._holders.get(role, ()), f"{person} does not hold the role {role}"
