"""Arithmetic over several owners' columns, taken apart into products of local factors.

Rule: a value becomes pieces (one a branch of CASE), a piece a sum of monomials, and a monomial
an integer coefficient times at most one factor from each source.
"""

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product

from cleanroom.contract.types import Kind
from cleanroom.errors import UnsupportedQuery
from cleanroom.query.sources import Placement
from cleanroom.sql import operators
from cleanroom.sql.expr import Expr

MAX_PIECES = 64


@dataclass(frozen=True, slots=True)
class Monomial:
    """coefficient / 10^scale * product of factors, by source."""

    coefficient: int
    scale: int
    factors: tuple[tuple[int, Expr], ...] = ()


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition that a piece needs TRUE, or needs not TRUE."""

    condition: Expr
    wanted: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """A value where all guards hold and all of `known` are not NULL."""

    guards: tuple[Guard, ...]
    monomials: tuple[Monomial, ...]
    known: tuple[tuple[int, Expr], ...]


def take_apart(expr: Expr, placement: Placement) -> tuple[Piece, ...]:
    """Return the pieces of a numeric expression; where none applies, its value is NULL.

    Raises:
        UnsupportedQuery: for operators across owners other than + - * and CASE.
    """
    if expr.op == "literal":
        return _constant(expr)
    source = placement.source_of(expr)
    if source is not None:
        atom = ((source, expr),)
        known = atom if expr.domain.nullable else ()
        return (Piece((), (Monomial(1, _scale(expr), atom),), known),)
    match expr.op:
        case "+" | "-" | "*":
            return _combine(expr, placement)
        case "neg":
            pieces = take_apart(expr.args[0], placement)
            return tuple(replace(p, monomials=_times(p.monomials, -1)) for p in pieces)
        case "case":
            return _case(expr, placement)
        case "call" if expr.value == "coalesce":
            return _case(operators.first_known(expr.args), placement)
    raise UnsupportedQuery(f"{expr.value or expr.op} over columns of several owners")


def _scale(expr: Expr) -> int:
    if expr.domain.is_number or expr.domain.kind is Kind.BOOLEAN:
        return expr.domain.scale
    raise UnsupportedQuery(f"arithmetic with {expr.domain.kind or 'floating point'}")


def _constant(expr: Expr) -> tuple[Piece, ...]:
    if expr.value is None:
        return ()
    if not isinstance(expr.value, int | Decimal):
        raise UnsupportedQuery(f"arithmetic with {expr.domain.kind}")
    return (Piece((), (Monomial(expr.domain.low, expr.domain.scale),), ()),)


def _combine(expr: Expr, placement: Placement) -> tuple[Piece, ...]:
    left, right = (take_apart(arg, placement) for arg in expr.args)
    pieces = []
    for a, b in product(left, right):
        if expr.op == "*":
            monomials = tuple(_multiply(x, y) for x, y in product(a.monomials, b.monomials))
        else:
            monomials = (*a.monomials, *_times(b.monomials, -1 if expr.op == "-" else 1))
        known = tuple(dict.fromkeys((*a.known, *b.known)))
        pieces.append(Piece((*a.guards, *b.guards), monomials, known))
    return _bounded(tuple(pieces))


def _case(expr: Expr, placement: Placement) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    before: list[Guard] = []
    for condition, value in zip(expr.args[:-1:2], expr.args[1:-1:2], strict=True):
        guards = (*before, Guard(condition, True))
        for piece in take_apart(value, placement):
            pieces.append(replace(piece, guards=(*guards, *piece.guards)))
        before.append(Guard(condition, False))
    for piece in take_apart(expr.args[-1], placement):
        pieces.append(replace(piece, guards=(*before, *piece.guards)))
    return _bounded(tuple(pieces))


def _bounded(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    if len(pieces) > MAX_PIECES or any(len(p.monomials) > MAX_PIECES for p in pieces):
        raise UnsupportedQuery(f"arithmetic across owners with more than {MAX_PIECES} products")
    return pieces


def _times(monomials: tuple[Monomial, ...], factor: int) -> tuple[Monomial, ...]:
    return tuple(replace(m, coefficient=m.coefficient * factor) for m in monomials)


def _multiply(a: Monomial, b: Monomial) -> Monomial:
    factors = dict(a.factors)
    for source, expr in b.factors:
        factors[source] = (
            operators.arithmetic("*", factors[source], expr) if source in factors else expr
        )
    ordered = tuple(sorted(factors.items()))
    return Monomial(a.coefficient * b.coefficient, a.scale + b.scale, ordered)


def separate(left: Expr, right: Expr, placement: Placement) -> tuple[Expr, Expr] | None:
    """Move the terms of a comparison so that each side belongs to one source.

    Returns:
        both sides; None if that can't be done with two sources.

    Raises:
        UnsupportedQuery: for arithmetic with what is no number.
    """
    if not all(_is_linear(side, placement) for side in (left, right)):
        return None
    sides: dict[int, list[Expr]] = {}
    constants: list[Expr] = []
    for expr, sign in ((left, 1), (right, -1)):
        for source, term in _terms(expr, sign, placement):
            (constants if source is None else sides.setdefault(source, [])).append(term)
    if len(sides) != 2:
        return None
    (_, first), (_, second) = sides.items()
    return _total(first), operators.negative(_total([*second, *constants]))


def _is_linear(expr: Expr, placement: Placement) -> bool:
    if expr.op == "literal" or placement.source_of(expr) is not None:
        return True
    by_constant = expr.op == "*" and any(arg.op == "literal" for arg in expr.args)
    return (by_constant or expr.op in ("+", "-", "neg")) and all(
        _is_linear(arg, placement) for arg in expr.args
    )


def _terms(expr: Expr, sign: int, placement: Placement) -> list[tuple[int | None, Expr]]:
    if expr.op == "literal":
        return [(None, _signed(_as_number(expr), sign))]
    source = placement.source_of(expr)
    if source is not None:
        return [(source, _signed(_as_number(expr), sign))]
    if expr.op in ("+", "-"):
        second = sign if expr.op == "+" else -sign
        return [
            *_terms(expr.args[0], sign, placement),
            *_terms(expr.args[1], second, placement),
        ]
    if expr.op == "neg":
        return _terms(expr.args[0], -sign, placement)
    factor, rest = sorted(expr.args, key=lambda arg: arg.op != "literal")
    return [
        (source, operators.arithmetic("*", term, factor))
        for source, term in _terms(rest, sign, placement)
    ]


def _as_number(expr: Expr) -> Expr:
    if expr.domain.kind is Kind.DATE:
        return operators.arithmetic("-", expr, operators.literal(dt.date(1970, 1, 1)))
    if not expr.domain.is_number:
        raise UnsupportedQuery(f"arithmetic across owners with {expr.domain.kind or 'NULL'}")
    return expr


def _signed(expr: Expr, sign: int) -> Expr:
    return expr if sign > 0 else operators.negative(expr)


def _total(terms: list[Expr]) -> Expr:
    total = terms[0]
    for term in terms[1:]:
        total = operators.arithmetic("+", total, term)
    return total
