"""What rows cost on shares to bring in order, and to test and compute with: bits and rounds."""

from cleanroom.plan.conditions import (
    And,
    CompareBits,
    CompareSums,
    IsNull,
    Not,
    Or,
    Predicate,
    Term,
)
from cleanroom.plan.leaf import Leaf
from cleanroom.plan.schema import Schema


def padded(n: int) -> int:
    """Return how many rows a share of at most n rows has."""
    return 1 << max(n - 1, 0).bit_length()


def width_of(schema: Schema | Leaf) -> int:
    """Return the bits of a row of all columns, valid or not among them."""
    return sum(c.bits + c.nullable for c in schema.bits) + 64 * len(schema.sums) + 1


def bits_of(schema: Schema, names: tuple[str, ...]) -> int:
    """Return the bits of these columns of a row."""
    return sum(c.bits + c.nullable for c in map(schema.bits_column, names))


def merged(rows: int, keys: int, width: int) -> tuple[int, int]:
    """Return bits and rounds of merging rows that stand in order of `keys` bits in two parts."""
    log = max(rows - 1, 1).bit_length()
    return rows * log * (5 * keys + 2 * log) // 4 + 4 * rows * width, 8 * log


def sorted_anew(rows: int, keys: int, width: int) -> tuple[int, int]:
    """Return bits and rounds of sorting rows that stand in no order."""
    bits, rounds = merged(rows, keys, width)
    return 3 * bits // 2, 2 * rounds


def of_term(term: Term, schema: Schema) -> int:
    """Return the bits of computing a term in one row."""
    products = 64 * max(len(term.factors) - 1, 0)
    return products + (86 + of_predicate(term.when, schema) if term.when is not None else 0)


def of_predicate(predicate: Predicate, schema: Schema) -> int:
    """Return the bits of testing a predicate in one row."""
    match predicate:
        case CompareBits(_, left, _):
            return 3 * schema.bits_column(left).bits
        case CompareSums():
            return 400
        case IsNull():
            return 0
        case Not(operand):
            return of_predicate(operand, schema)
        case And(operands) | Or(operands):
            return sum(2 + of_predicate(p, schema) for p in operands)
