"""INSECURE: scores and marks along payments, over plain rows, in floating point."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

import numpy as np

from cleanroom.plan.graphs import Propagate
from cleanroom.plan.plaintext_rows import Row, number, promise
from protocols.plaintext.graph import Floats, PlainGraph, propagate, reach
from protocols.rep3.graph import WEIGHT_BITS


def propagated(node: Propagate, parts: Sequence[list[Row]]) -> list[Row]:
    """Return the recipient's accounts with their scores, or those reached.

    Args:
        parts: the rows of each leaf, in the order of the node's.
    """
    members, flow = 1 + len(node.others), node.flow
    accounts = [row for part in parts[:members] for row in part]
    place = {row["account"]: i for i, row in enumerate(accounts)}
    promise(len(place) == len(accounts), "an account is kept by two members")
    paid = _paid(node, parts)
    known = [(row, account) for row, account in paid if row["source"] in place]
    source = np.array([place[row["source"]] for row, _ in known], dtype=np.intp)
    target = np.array([place[account] for _, account in known], dtype=np.intp)
    weight = _floats([row for row, _ in known], "weight")
    graph = PlainGraph(len(accounts), source, target, weight / 2**WEIGHT_BITS)
    if flow.kind == "reach":
        found = reach(graph, _floats(accounts, "marked") > 0, flow.rounds)
        own = zip(parts[0], found.tolist(), strict=False)
        return [{node.shown: row[node.shown]} for row, reached in own if reached]
    damping = flow.damping[0] / flow.damping[1]
    scores = propagate(graph, _floats(accounts, "score"), damping, flow.rounds)
    return [
        {node.shown: row[node.shown], "score": round(score)}
        for row, score in zip(parts[0], scores.tolist(), strict=False)
    ]


def _paid(node: Propagate, parts: Sequence[list[Row]]) -> Iterator[tuple[Row, int | None]]:
    """Yield payments and the accounts that they enter: the last one placed before each."""
    keepers = [node.own.member, *(leaf.member for leaf in node.others)]
    for leaf, payments in zip(node.payments, parts[len(keepers) :], strict=True):
        accounts = parts[keepers.index(leaf.member)]
        accounts = sorted(accounts, key=lambda row: number(row["place"]))
        places = [number(row["place"]) for row in accounts]
        for row in payments:
            at = bisect_left(places, number(row["place"])) - 1
            yield row, accounts[at]["account"]


def _floats(rows: Sequence[Row], name: str) -> Floats:
    return np.array([number(row[name]) for row in rows], dtype=np.float64)
