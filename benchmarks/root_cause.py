"""Root-cause candidates against the injected truth, over all shipped game days: AC@1, AC@3, AC@5 of three ways to rank.

    python -m benchmarks.root_cause [REPLICATIONS]

AC@k: share of incidents whose injected fault is among the first k candidates. Against two simple ways: the component of the earliest
alert first, and the anomalous service that is deepest in the dependency graph first. All three see what monitoring saw when the first
responder began to look; the fault is used for the comparison alone.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from gameday.scenario import read_scenario
from gameday.scores.case import Case
from gameday.scores.root_cause import candidates, causes_of, firing, graph_of, looked_at
from gameday.shipped import shipped_names, shipped_scenarios
from gameday.timeline import Event
from sim import run

PLACES = (1, 3, 5)
ANOMALOUS = 0.5
Ranking = Callable[[Case, Event], list[str]]


def earliest_alert(case: Case, seen: Event) -> list[str]:
    """Components of the alerts that fire, in the order in which they began."""
    alerts = sorted(firing(case, seen.t), key=lambda event: event.t)
    return list(dict.fromkeys(event.subject.partition("@")[0] for event in alerts))


def deepest_service(case: Case, seen: Event) -> list[str]:
    """Anomalous components (alerting ones where none is), the one with the longest way from the clients first."""
    import networkx as nx

    graph = graph_of(case)
    classes = [node for node in graph if node.startswith("class/")]
    depth: dict[str, int] = defaultdict(int)
    for start in classes:
        for node, steps in nx.single_source_shortest_path_length(graph, start).items():
            depth[node] = max(depth[node], steps)
    anomalies: Mapping[str, float] = seen.data.get("anomalies") or {}  # type: ignore[assignment]
    odd = [node for node, value in anomalies.items() if value >= ANOMALOUS and node.partition("/")[0] not in ("zone", "region")]
    odd = odd or [event.subject for event in firing(case, seen.t)]
    return list(dict.fromkeys(node.partition("@")[0] for node in sorted(odd, key=lambda node: (-depth[node], node))))


WAYS: Mapping[str, Ranking] = {
    "personalised PageRank": candidates,
    "earliest alert": earliest_alert,
    "deepest anomalous service": deepest_service,
}


def places(name: str, replications: int) -> dict[str, list[int | None]]:
    """For every way, the place of the cause in every incident of a shipped day; None = not among the candidates."""
    scenario = read_scenario(shipped_scenarios() / f"{name}.yaml")
    found: dict[str, list[int | None]] = {way: [] for way in WAYS}
    for replication in range(replications):
        case = Case(run(scenario, 1, replication), scenario)
        for incident in case.incidents:
            causes = {cause for fault in incident.faults for cause in causes_of(case, fault)}
            seen = looked_at(case, incident)
            if not causes or seen is None:
                continue
            for way, ranking in WAYS.items():
                found[way].append(next((n for n, c in enumerate(ranking(case, seen), start=1) if c in causes), None))
    return found


def shares(ranks: Sequence[int | None]) -> str:
    """AC@1, AC@3, AC@5."""
    if not ranks:
        return "- | - | -"
    return " | ".join(f"{sum(rank is not None and rank <= k for rank in ranks) / len(ranks):.0%}" for k in PLACES)


def main(arguments: Sequence[str]) -> int:
    """Print a row by game day and way, and the means over the game days; 1 when PageRank is behind a simple way at three."""
    replications = int(arguments[0]) if arguments else 4
    head = "| game day | incidents | way | AC@1 | AC@3 | AC@5 |\n|---|---|---|---|---|---|"
    print(head)
    everything: dict[str, list[list[int | None]]] = {way: [] for way in WAYS}
    for name in shipped_names():
        found = places(name, replications)
        for way, ranks in found.items():
            print(f"| {name} | {len(ranks)} | {way} | {shares(ranks)} |", flush=True)
            everything[way] += [ranks] if ranks else []
    print("\n| way | game days | mean AC@1 | mean AC@3 | mean AC@5 |\n|---|---|---|---|---|")
    means = {}
    for way, days in everything.items():
        at = [sum(sum(r is not None and r <= k for r in ranks) / len(ranks) for ranks in days) / len(days) for k in PLACES]
        means[way] = at[1]
        print(f"| {way} | {len(days)} | {' | '.join(f'{value:.0%}' for value in at)} |")
    return 0 if means["personalised PageRank"] >= max(means.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
