"""A propagation on shares: all members' accounts and payments as vertices and edges of a graph.

Rule: this puts members' parts together and cuts the recipient's own out again; it computes nothing.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from cleanroom.errors import DataMismatch, PeerMisbehaved
from cleanroom.plan.graphs import Propagate
from protocols.context import Context
from protocols.rep3.adjacency import Edges, Part
from protocols.rep3.and_bits import and_bits
from protocols.rep3.flow import propagate, reach
from protocols.rep3.graph import Graph, arrange
from protocols.rep3.place import NotAPermutation
from protocols.rep3.relation import Relation
from protocols.rep3.share import concat_planes, end_to_end
from protocols.rep3.twins import has_twins
from protocols.rounds import Steps


def propagated(ctx: Context, node: Propagate, parts: Sequence[Relation]) -> Steps[Relation]:
    """Return the recipient's accounts with their scores, or those of them that are reached.

    Args:
        parts: the rows of each leaf, in the order of the node's.

    Raises:
        DataMismatch: if two members keep one account; nothing else was opened.
        PeerMisbehaved: if a member's accounts and payments aren't numbered.

    Cost, security: those of `arrange`, `has_twins`, and `propagate` or `reach`.
    """
    flow, members = node.flow, 1 + len(node.others)
    graph = yield from _arranged(ctx.at("graph"), node, parts)
    if (yield from has_twins(ctx.at("twins"), graph)):
        what = "an account is kept by two members; nothing was opened"
        raise DataMismatch(what, remedy="Find out which of them keeps it.")
    own, at = parts[0].select((node.shown,), ()), ctx.at("flow")
    if flow.kind == "propagate":
        start, damping = (
            end_to_end([part.sums["score"] for part in parts[:members]]),
            Fraction(*flow.damping),
        )
        scores = yield from propagate(at, graph, start, damping, flow.rounds)
        return replace(own, sums={"score": scores[: own.n]}, clean=False)
    marked = end_to_end([part.columns["marked"].planes for part in parts[:members]])
    found = yield from reach(at, graph, marked, flow.rounds)
    there = yield from and_bits(ctx.at("there"), own.valid, found[:, : own.n // 64])
    return replace(own, valid=there, clean=False)


def _parts(node: Propagate, relations: Sequence[Relation]) -> list[Part]:
    """Put each member's payments beside its accounts."""
    keepers = [node.own.member, *(leaf.member for leaf in node.others)]
    held = zip(node.payments, relations[len(keepers) :], strict=True)
    payments = {leaf.member: relation for leaf, relation in held}
    return [
        Part(
            concat_planes([accounts.valid, accounts.columns["account"].planes]),
            accounts.sums["place"],
            _edges(payments[member]) if member in payments else None,
        )
        for member, accounts in zip(keepers, relations, strict=False)
    ]


def _edges(payments: Relation) -> Edges:
    source, sums = payments.columns["source"].planes, payments.sums
    return Edges(payments.valid, source, sums["weight"], sums["place"])


def _arranged(ctx: Context, node: Propagate, relations: Sequence[Relation]) -> Steps[Graph]:
    try:
        return (yield from arrange(ctx, _parts(node, relations)))
    except NotAPermutation:
        members = " or ".join(leaf.member for leaf in node.payments)
        what = "its accounts and payments aren't numbered one by one"
        raise PeerMisbehaved(what, party=members) from None
