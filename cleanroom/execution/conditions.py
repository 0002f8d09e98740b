"""Conditions on secret columns under SQL's three-valued logic.

Each condition becomes two bits a row, is-true and is-false; a NULL has neither.
"""

from collections.abc import Sequence
from typing import TypeAlias

from cleanroom.execution import terms as arithmetic
from cleanroom.plan.conditions import And, CompareBits, CompareSums, IsNull, Not, Or, Predicate
from protocols.context import Context
from protocols.rep3.and_bits import and_bits
from protocols.rep3.compare import equal, less_than
from protocols.rep3.convert import sign
from protocols.rep3.relation import Column, Relation
from protocols.rep3.share import Bits, concat_planes, same_bit, stack
from protocols.rounds import Party, Steps, parallel

Truth: TypeAlias = tuple[Bits, Bits]


def evaluate(ctx: Context, relation: Relation, condition: Predicate) -> Steps[Truth]:
    """Return is-true and is-false, each of shape (1, n / 64)."""
    match condition:
        case Not(operand):
            true, false = yield from evaluate(ctx.at("not"), relation, operand)
            return false, true
        case And(operands):
            truths = yield from _all(ctx, relation, operands)
            if not truths:
                always = same_bit(ctx.me, 1, relation.n)
                return always, always.flip(ctx.me)
            flipped = [(false, true) for true, false in truths]
            false, true = yield from _any(ctx.at("and"), flipped)
            return true, false
        case Or(operands):
            truths = yield from _all(ctx, relation, operands)
            if not truths:
                never = same_bit(ctx.me, 0, relation.n)
                return never, never.flip(ctx.me)
            either = yield from _any(ctx.at("or"), truths)
            return either
        case IsNull(column):
            null = _null(ctx.me, relation, relation.columns[column])
            return null, null.flip(ctx.me)
        case CompareBits():
            truth = yield from _compare_bits(ctx.at("bits"), relation, condition)
            return truth
        case CompareSums():
            truth = yield from _compare_sums(ctx.at("sums"), relation, condition)
            return truth


def _all(
    ctx: Context, relation: Relation, operands: tuple[Predicate, ...]
) -> Steps[tuple[Truth, ...]]:
    steps = (evaluate(ctx.at(f"{i}"), relation, operand) for i, operand in enumerate(operands))
    truths = yield from parallel(*steps)
    return truths


def _any(ctx: Context, truths: Sequence[Truth]) -> Steps[Truth]:
    """OR the truths: true if one is, false if all are. One round a halving."""
    level, depth = list(truths), 0
    while len(level) > 1:
        pairs = [(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        rest = level[2 * len(pairs) :]
        left = concat_planes([p for (a, _) in pairs for p in (a[0].flip(ctx.me), a[1])])
        right = concat_planes([p for (_, b) in pairs for p in (b[0].flip(ctx.me), b[1])])
        both = yield from and_bits(ctx.at(f"{depth}"), left, right)
        halves = [both[i : i + 1] for i in range(2 * len(pairs))]
        level = [
            (halves[2 * i].flip(ctx.me), halves[2 * i + 1]) for i in range(len(pairs))
        ] + rest
        depth += 1
    return level[0]


def _compare_bits(ctx: Context, relation: Relation, condition: CompareBits) -> Steps[Truth]:
    left = relation.columns[condition.left]
    if isinstance(condition.right, str):
        right = relation.columns[condition.right]
    else:
        right = Column(_constant(ctx.me, relation, left, condition.right), False)
    a, b = left.value, right.value
    match condition.op:
        case "<" | ">=":
            holds = yield from less_than(ctx.at("compare"), a, b)
        case ">" | "<=":
            holds = yield from less_than(ctx.at("compare"), b, a)
        case "=" | "<>":
            holds = yield from equal(ctx.at("compare"), a, b)
    if condition.op in (">=", "<=", "<>"):
        holds = holds.flip(ctx.me)
    known = [column.null.flip(ctx.me) for column in (left, right) if column.nullable]
    truth = yield from _where_known(ctx.at("known"), holds, known)
    return truth


def _compare_sums(ctx: Context, relation: Relation, condition: CompareSums) -> Steps[Truth]:
    value = yield from arithmetic.total(ctx.at("total"), relation, condition.terms)
    signs = yield from sign(ctx.at("sign"), stack([value, value.scale(-1)]))
    negative, positive = signs[:1], signs[1:]
    match condition.op:
        case "<" | ">=":
            holds = negative
        case ">" | "<=":
            holds = positive
        case "=" | "<>":  # at most one of the two signs is set
            holds = (negative ^ positive).flip(ctx.me)
    if condition.op in (">=", "<=", "<>"):
        holds = holds.flip(ctx.me)
    known = []
    if condition.known is not None:
        true, _ = yield from evaluate(ctx.at("if"), relation, condition.known)
        known.append(true)
    truth = yield from _where_known(ctx.at("known"), holds, known)
    return truth


def _where_known(ctx: Context, holds: Bits, known: list[Bits]) -> Steps[Truth]:
    truth = holds, holds.flip(ctx.me)
    for i, bit in enumerate(known):
        both = yield from and_bits(ctx.at(f"{i}"), concat_planes(truth), bit)
        truth = both[:1], both[1:]
    return truth


def _null(me: Party, relation: Relation, column: Column) -> Bits:
    if column.nullable:
        return column.null
    return same_bit(me, 0, relation.n)


def _constant(me: Party, relation: Relation, like: Column, value: int) -> Bits:
    bits = like.value.shape[0]
    if not 0 <= value < 1 << bits:
        raise ValueError(f"a constant of a comparison doesn't fit {bits} bits")
    planes = [same_bit(me, value >> (bits - 1 - i) & 1, relation.n) for i in range(bits)]
    return concat_planes(planes)
