"""The plan and the judgement of a game day: what is true in every kind of run.

No clock of its own, no simulator, no chaos or load tool: those live in `sim`, `experiments` and `loadtests`, which import this
package and are reached from its command line by name.
"""

__version__ = "0.1.0"
