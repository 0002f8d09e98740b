"""What leaves the computing parties: shares of the released groups, read by the recipient alone.

Rule: the format of an outcome and nothing else; both its writer and its reader are here.

Words, flat: own half, then next half; each half holds the suppressed count, then the opened
rows' bits (row-major, each row's planes packed into words), then their sums column by column.
Where the number of released groups is hidden, a row's last bit says whether it is one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleanroom.errors import MessageInvalid, PeerMisbehaved
from cleanroom.plan.leaf import BitsColumn
from cleanroom.plan.plan import Plan
from cleanroom.plan.schema import schema_of
from protocols.rep3.rows import Rows
from protocols.rep3.share import Arith, words_for
from protocols.rep3.slices import from_planes, rows_from_planes, to_planes
from protocols.rounds import U64

_FILLED = "#filled"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One computing party's share of everything that is opened.

    Attributes:
        n: number of released groups; if that is hidden, of slots for them.
        words: shape (2 * (1 + n * row words),).
    """

    n: int
    words: U64


@dataclass(frozen=True, slots=True)
class Opened:
    """The opened groups, still encoded, named as leaf SQL names its columns.

    Attributes:
        columns: for a bits column c, uint64 arrays c_0, c_1, ... (most significant first) and,
            if it is nullable, a boolean array c_null; for a sum column an int64 array.
        suppressed: groups withheld, by whatever rule; of a gate 1 if
            more rows match than it opens, else 0.
    """

    n: int
    columns: dict[str, NDArray[Any]]
    suppressed: int


def pack(rows: Rows, opened: U64 | None, suppressed: Arith) -> Outcome:
    """Lay out this party's share of rows.

    Args:
        opened: public plane, shape (1, n / 64), that marks the rows to hand out; None for all.
        suppressed: shape (1,).
    """
    chosen = np.arange(rows.n)
    if opened is not None:
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
    schema = schema_of(plan.root.input)
    by_name = {column.name: column for column in schema.bits}
    bits = [by_name[name] for name in plan.root.opened if name in by_name]
    sums = [name for name in plan.root.opened if name not in by_name]
    if plan.root.hidden:
        bits.append(BitsColumn(_FILLED, 1))
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
    columns = _columns(bits, opened_bits.reshape(n, bit_words))
    columns.update(zip(sums, opened_sums[cut:].reshape(len(sums), n), strict=True))
    if plan.root.hidden:
        filled = columns.pop(f"{_FILLED}_0").astype(np.bool_)
        columns = {name: values[filled] for name, values in columns.items()}
        n = int(filled.sum())
    return Opened(n, columns, int(opened_sums[0]))


def _suspects(rank: int) -> str:
    return f"P{rank} or P{(rank - 1) % 3}"


def _columns(bits: Sequence[BitsColumn], rows: U64) -> dict[str, NDArray[Any]]:
    """Cut packed rows, first column most significant, into columns."""
    planes = to_planes(rows, sum(column.bits + column.nullable for column in bits))
    columns: dict[str, NDArray[Any]] = {}
    at = 0
    for column in bits:
        if column.nullable:
            null = from_planes(planes[at : at + 1], len(rows))
            columns[f"{column.name}_null"] = null.astype(np.bool_)
            at += 1
        words = rows_from_planes(planes[at : at + column.bits], len(rows))
        columns.update({f"{column.name}_{i}": words[:, i] for i in range(words.shape[1])})
        at += column.bits
    return columns
