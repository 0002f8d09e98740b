"""Terms and conditions on secret columns, as a plan writes them down. Values only.

Rule: each can be evaluated on shares; truth is SQL's, with NULL for what isn't known.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Comparison: TypeAlias = Literal["<", "<=", ">", ">=", "=", "<>"]


@dataclass(frozen=True, slots=True)
class Term:
    """coefficient * product of sum columns, counted only in rows where `when` is TRUE."""

    coefficient: int
    factors: tuple[str, ...] = ()
    when: "Predicate | None" = None


@dataclass(frozen=True, slots=True)
class CompareBits:
    """left `op` right on bits columns of equal width and meaning, or on a column's encoded bits.

    NULL if a column is NULL. An int is compared in the same encoding, low already subtracted.
    """

    op: Comparison
    left: str
    right: str | int


@dataclass(frozen=True, slots=True)
class CompareSums:
    """(sum of terms) `op` 0; NULL unless `known` is TRUE. |sum of terms| < 2^62 is proven."""

    op: Comparison
    terms: tuple[Term, ...]
    known: "Predicate | None" = None


@dataclass(frozen=True, slots=True)
class IsNull:
    column: str


@dataclass(frozen=True, slots=True)
class Not:
    operand: "Predicate"


@dataclass(frozen=True, slots=True)
class And:
    operands: tuple["Predicate", ...]


@dataclass(frozen=True, slots=True)
class Or:
    operands: tuple["Predicate", ...]

Predicate: TypeAlias = CompareBits | CompareSums | IsNull | Not | And | Or
