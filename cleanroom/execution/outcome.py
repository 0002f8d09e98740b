"""What leaves the computing parties: shares of the released groups, read by the recipient alone.

Rule: the format of an outcome and nothing else; both its writer and its reader are here.

Words, flat: own half, then next half; each half holds the suppressed count, then the opened
rows' bits (row-major, each row's planes packed into words), then their sums column by column.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleanroom.errors import MessageInvalid, PeerMisbehaved
from cleanroom.query.plan import BitsColumn, Plan, schema
from protocols.rep3.rows import Rows
from protocols.rep3.share import Arith, words_for
from protocols.rep3.slices import from_planes, rows_from_planes, to_planes
from protocols.rounds import U64


@dataclass(frozen=True, slots=True)
class Outcome:
    """One computing party's share of everything that is opened.

    Attributes:
        n: number of released groups.
        words: shape (2 * (1 + n * row words),).
    """

    n: int
    words: U64


@dataclass(frozen=True, slots=True)
class Opened:
    """The opened groups, still encoded.

    Attributes:
        columns: by name; bits columns of up to 64 bits and sum columns as int64, wider ones as
            an (n, words) array of uint64, most significant word first.
        nulls: for nullable bits columns, a boolean array.
        suppressed: groups withheld because too few persons stand behind them.
    """

    n: int
    columns: dict[str, NDArray[Any]]
    nulls: dict[str, NDArray[np.bool_]]
    suppressed: int


def pack(rows: Rows, opened: U64, suppressed: Arith) -> Outcome:
    """Lay out this party's share of the rows whose bit is set.

    Args:
        opened: public plane, shape (1, n / 64).
        suppressed: shape (1,).
    """
    flags = np.unpackbits(opened.astype("<u8").view(np.uint8), bitorder="little")[: rows.n]
    chosen = np.flatnonzero(flags)
    halves = []
    for half in ("own", "next"):
        planes, sums = getattr(rows.bits, half), getattr(rows.sums, half)
        bits = rows_from_planes(planes, rows.n)[chosen]
        parts = [getattr(suppressed, half), bits.reshape(-1), sums[:, chosen].reshape(-1)]
        halves.append(np.concatenate(parts))
    return Outcome(len(chosen), np.concatenate(halves))


def reconstruct(plan: Plan, outcomes: Sequence[Outcome]) -> Opened:
    """Put the three parties' shares together, checking each part against its copy.

    Args:
        outcomes: in the order of ranks.

    Raises:
        MessageInvalid: if sizes are not those of the plan.
        PeerMisbehaved: if two parties' copies of a part differ.
    """
    names = plan.root.opened
    bits = [schema(plan.root.input)[name] for name in names if name in schema(plan.root.input)]
    sums = [name for name in names if name in plan.root.input.sums]
    n = outcomes[0].n
    bit_words = words_for(sum(column.bits + column.nullable for column in bits))
    length = 1 + n * (bit_words + len(sums))
    if any(o.n != n or o.words.shape != (2 * length,) for o in outcomes):
        raise MessageInvalid("an outcome is not of the plan's size")
    own, following = ([o.words[i : i + length] for o in outcomes] for i in (0, length))
    for rank in range(3):
        if not np.array_equal(own[rank], following[rank - 1]):
            raise PeerMisbehaved("two shares of the result differ", party=_suspects(rank))
    cut = 1 + n * bit_words
    opened_bits = own[0][1:cut] ^ own[1][1:cut] ^ own[2][1:cut]
    opened_sums = (own[0] + own[1] + own[2]).view(np.int64)
    columns, nulls = _columns(bits, opened_bits.reshape(n, bit_words))
    columns.update(zip(sums, opened_sums[cut:].reshape(len(sums), n), strict=True))
    return Opened(n, columns, nulls, int(opened_sums[0]))


def _suspects(rank: int) -> str:
    return f"P{rank} or P{(rank - 1) % 3}"


def _columns(
    bits: Sequence[BitsColumn], rows: U64
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[np.bool_]]]:
    """Cut packed rows, first column most significant, into columns."""
    planes = to_planes(rows, sum(column.bits + column.nullable for column in bits))
    columns: dict[str, NDArray[Any]] = {}
    nulls: dict[str, NDArray[np.bool_]] = {}
    at = 0
    for column in bits:
        if column.nullable:
            nulls[column.name] = from_planes(planes[at : at + 1], len(rows)).astype(np.bool_)
            at += 1
        words = rows_from_planes(planes[at : at + column.bits], len(rows))
        at += column.bits
        if column.bits <= 64:
            columns[column.name] = words[:, 0] if column.bits else np.zeros(len(rows), np.uint64)
        else:
            columns[column.name] = words
    return columns, nulls
