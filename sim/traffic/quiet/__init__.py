"""Quiet stretches: an engine that plays exactly where anything goes on, and draws seconds it has played before where nothing does.

    engine.py: when to jump, and the clocks ──▶ library.py: exact seconds, are they stationary, blocks of them
          │                                            │
          ├──▶ regime.py: settings, rates, memory      └──▶ tally.py: all counters as one row
          ├──▶ jump.py: which second is shown next; shown.py: what is observed then; why.py: why the others are played
          └──▶ engines.py, compiled.py: the two engines, with such rows

Why this moves no score, and how that is shown: `docs/explanation/quiet-stretches.md`.
"""

from __future__ import annotations

from sim.traffic.quiet.engine import QuietEngine, make_quiet_engine

__all__ = ["QuietEngine", "make_quiet_engine"]
