"""Approvals in order, by whom, and what happens when nobody can be had."""

from __future__ import annotations

import pytest

from gameday.communication.approvals import (
    ApprovalChain,
    Approver,
    publication_problems,
    required_approvals,
)
from gameday.people import Availability
from gameday.scenario.communication import Audience

HOLDERS = {"legal": ["lea", "lou"], "executive": ["eve"], "pr": []}


class Hours:
    """Availability that the test sets; in office unless it says otherwise."""

    def __init__(self, **people: Availability) -> None:
        self.people = people

    def __call__(self, person: str, now: float) -> Availability:
        del now
        return self.people.get(person, "in_office")


def chain(*roles: str, hours: Hours | None = None) -> ApprovalChain:
    return ApprovalChain(roles, HOLDERS, hours or Hours())


def test_a_message_that_needs_no_approval_is_approved() -> None:
    assert chain().state(0) == "approved"


def test_approvals_are_given_in_order() -> None:
    approvals = chain("legal", "executive")
    assert approvals.approver(0) == Approver("lea", "legal", must_be_paged=False)
    assert not approvals.approve(10, "lea")
    assert approvals.approver(10) == Approver("eve", "executive", must_be_paged=False)
    assert approvals.approve(20, "eve")
    assert approvals.state(20) == "approved"
    assert [(given.at, given.role, given.person) for given in approvals.given] == [(10, "legal", "lea"), (20, "executive", "eve")]


def test_a_later_role_cannot_approve_first() -> None:
    with pytest.raises(AssertionError):
        chain("legal", "executive").approve(0, "eve")


def test_somebody_awake_is_asked_before_somebody_who_sleeps_whatever_their_order() -> None:
    approvals = chain("legal", hours=Hours(lea="asleep", lou="awake"))
    assert approvals.approver(0) == Approver("lou", "legal", must_be_paged=False)


def test_somebody_at_work_is_asked_before_somebody_merely_awake() -> None:
    approvals = chain("legal", hours=Hours(lea="awake", lou="in_office"))
    assert approvals.approver(0) == Approver("lou", "legal", must_be_paged=False)


def test_when_everybody_of_the_role_sleeps_the_first_is_paged() -> None:
    approvals = chain("legal", hours=Hours(lea="asleep", lou="asleep"))
    assert approvals.state(0) == "waiting"
    assert approvals.approver(0) == Approver("lea", "legal", must_be_paged=True)


def test_when_nobody_of_the_role_can_be_had_the_chain_says_so() -> None:
    approvals = chain("legal", "executive", hours=Hours(lea="unavailable", lou="unavailable"))
    assert (approvals.state(0), approvals.approver(0)) == ("nobody_available", None)


def test_a_chain_that_was_stuck_goes_on_when_somebody_can_be_had() -> None:
    hours = Hours(lea="unavailable", lou="unavailable")
    approvals = chain("legal", hours=hours)
    assert approvals.state(0) == "nobody_available"
    hours.people["lou"] = "awake"
    assert approvals.state(60) == "waiting"


def test_a_role_without_people_can_never_approve() -> None:
    assert chain("pr").state(0) == "nobody_in_role"


def test_a_rejection_ends_the_chain() -> None:
    approvals = chain("legal", "executive")
    approvals.reject("lou", "names a customer")
    assert approvals.state(0) == "rejected"
    assert approvals.next_role is None
    assert approvals.rejected_by == ("lou", "names a customer")


def audience(*, external: bool) -> Audience:
    return Audience(channel="status_page", external=external, approvals=["legal"], spokespersons=["pr"])


def test_inside_the_organisation_nobody_has_to_approve() -> None:
    assert required_approvals(audience(external=False)) == ()
    assert publication_problems(audience(external=False), "scribe", []) == []


def test_outside_both_the_approval_and_the_spokesperson_are_needed() -> None:
    assert required_approvals(audience(external=True)) == ("legal",)
    assert publication_problems(audience(external=True), "pr", ["legal"]) == []
    assert publication_problems(audience(external=True), "scribe", []) == [
        "legal has not approved it",
        "scribe published it, only pr may",
    ]


def test_without_spokespersons_the_author_may_publish() -> None:
    alone = Audience(channel="mail", external=True)
    assert publication_problems(alone, "communications", []) == []
    assert publication_problems(alone, "", []) == ["somebody without a role published it, only communications may"]
