"""The control of a compiled experiment: nothing is broken before it is on disk how to undo it, and what happens is written down.

The rule that surprises: Chaos Toolkit swallows whatever a control raises, except the exception that interrupts the experiment. That is
what is raised when the rollback plan cannot be written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chaoslib.exceptions import InterruptExecution
from chaoslib.hypothesis import within_tolerance

from experiments.compile import HEAL, INJECT, PROVEN
from experiments.proofs import Proof
from experiments.session import session_of

__all__ = ["after_activity_control", "before_activity_control"]


def before_activity_control(context: Mapping[str, Any], configuration: dict[str, Any] | None = None, **kwargs: Any) -> None:
    """Pin the target of a fault that is about to be put in place and mark it in the plan."""
    del kwargs
    index = _index(context, INJECT)
    if index is None:
        return
    try:
        session_of(configuration).begin(index)
    except Exception as error:
        raise InterruptExecution(f"nothing was broken: {error}") from error


def after_activity_control(
    context: Mapping[str, Any], state: Mapping[str, Any], configuration: dict[str, Any] | None = None, **kwargs: Any
) -> None:
    """Write down what activities of others did: they know nothing of our plan.

    Chaos Toolkit looks at tolerances in a hypothesis only, so that of a proof, which stands in the method, is looked at here.
    """
    del kwargs
    session = session_of(configuration)
    succeeded = state.get("status") == "succeeded"
    for prefix in (INJECT, HEAL, PROVEN):
        index = _index(context, prefix)
        if index is None or session.plan.of(index).live is None:
            continue
        if prefix == PROVEN:
            holds = succeeded and bool(within_tolerance(context.get("tolerance", True), state.get("output"), configuration))
            session.proven(index, Proof(holds, f"{context['provider'].get('func', 'probe')} answered {state.get('output')!r}"))
        elif not succeeded:
            session.refuse(index, str((state.get("exception") or ["it failed"])[-1]).strip())
        elif prefix == INJECT:
            session.injected(index)
        else:
            session.healed(index)


def _index(context: Mapping[str, Any], prefix: str) -> str | None:
    name = str(context.get("name", ""))
    return name.removeprefix(prefix) if name.startswith(prefix) else None
