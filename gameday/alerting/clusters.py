"""Which alerts belong together: HDBSCAN (scikit-learn) over time, distance in the dependency graph, and labels.

    clustered(alerts, graph)        # [0, 0, -1, 0]: the third one stands alone

The rule that surprises: a few alerts have no density to speak of, so groups nearer than a third of the greatest distance are never split:
alerts may be as far apart as can be in one of the three respects alone. What is in no group (-1) is noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gameday.alerting.alert import Labels
from gameday.alerting.candidates import distances
from gameday.errors import MissingExtra

if TYPE_CHECKING:
    import networkx as nx

FAR_S = 600.0
"""Alerts that began further apart than this are as far apart in time as can be. Assumption."""
FAR_STEPS = 6
"""The same in the dependency graph, in calls. Assumption."""
COMPARED = ("team", "region", "origin")
"""Labels whose differences keep alerts apart."""
ALONE = -1
NEAR = 1 / 3
"""Distance up to which groups are one (HDBSCAN's cluster_selection_epsilon)."""


@dataclass(frozen=True, slots=True)
class Fired:
    """An alert that fires, as far as clustering looks at it."""

    at: float
    subject: str
    labels: Labels


def clustered(alerts: Sequence[Fired], graph: nx.DiGraph[str]) -> list[int]:
    """The number of the cluster of every alert, ALONE for those in none; two are one cluster. MissingExtra without scikit-learn."""
    if len(alerts) < 3:
        return [0] * len(alerts)
    try:
        from sklearn.cluster import HDBSCAN
    except ImportError:
        raise MissingExtra("grouping related alerts", "analysis") from None
    model = HDBSCAN(
        min_cluster_size=2, metric="precomputed", allow_single_cluster=True, cluster_selection_epsilon=NEAR, copy=True
    )
    return [int(label) for label in model.fit(apart(alerts, graph)).labels_]


def apart(alerts: Sequence[Fired], graph: nx.DiGraph[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Distance of every two alerts, 0 to 1: the mean of their distances in time, in the graph and by labels."""
    steps = distances(graph, [alert.subject for alert in alerts], FAR_STEPS)
    found = np.zeros((len(alerts), len(alerts)))
    for i, one in enumerate(alerts):
        for j, other in enumerate(alerts[:i]):
            time = min(1.0, abs(one.at - other.at) / FAR_S)
            way = steps[one.subject, other.subject] / FAR_STEPS
            found[i, j] = found[j, i] = (time + way + _labels_apart(dict(one.labels), dict(other.labels))) / 3
    return found


def _labels_apart(one: dict[str, str], other: dict[str, str]) -> float:
    """Share of the labels both have that differ."""
    both = [name for name in COMPARED if name in one and name in other]
    return sum(one[name] != other[name] for name in both) / len(both) if both else 0.0
