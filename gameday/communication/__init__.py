"""Communication as policy: when a message is due, who may approve it, what it must say. Told the time, writes to nobody."""

from __future__ import annotations

from gameday.communication.approvals import ApprovalChain, publication_problems
from gameday.communication.cadence import Ask, Cadence
from gameday.communication.content import ContentReport, Vocabulary, check_message
from gameday.communication.severity import severity_of
from gameday.communication.templates import MissingSlotError, render, template_for

__all__ = [
    "ApprovalChain",
    "Ask",
    "Cadence",
    "ContentReport",
    "MissingSlotError",
    "Vocabulary",
    "check_message",
    "publication_problems",
    "render",
    "severity_of",
    "template_for",
]
