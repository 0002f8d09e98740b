"""How an owner's rows become shares: encoded words, padding, splitting, and reading them back.

Rule: the format of a contribution and nothing else; both its writer and its reader are here.

A contribution is split into x_0, x_1 and x_2; x_0 and x_1 travel as 32-byte seeds. The
computing member of rank i gets x_i and x_{i+1}.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cleanroom.errors import DataMismatch, MessageInvalid
from cleanroom.plan.leaf import BitsColumn, Leaf
from cleanroom.plan.plan import Plan
from protocols.randomness import KEY_BYTES, stream
from protocols.rep3.relation import Column, Relation, split_planes
from protocols.rep3.share import Arith, Bits, concat_planes, words_for
from protocols.rep3.slices import to_planes
from protocols.rounds import U64, Party

_SEED_WORDS = KEY_BYTES // 8


class Source(Protocol):
    """An owner's own rows, behind SQL."""

    def run(self, sql: str, text_key: bytes) -> Mapping[str, NDArray[Any]]:
        """Run one leaf and return its columns by name."""
        ...

    def rows(self, table: str) -> int:
        """Return how many rows this owner holds of a table."""
        ...

    def interrupt(self) -> None:
        """End the leaf that runs now, if one does."""
        ...


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one computing member gets of one leaf.

    Attributes:
        leaf: the leaf's place in `plan.leaves`.
        n: rows after padding, a power of two of at least 64.
        words: seeds and shares, flat.
    """

    leaf: int
    n: int
    words: U64


def contribute(
    plan: Plan, member: str, source: Source, text_key: bytes
) -> tuple[tuple[Contribution, Contribution, Contribution], ...]:
    """Run a member's leaves on its rows and split the results for the three computing members.

    Raises:
        DataMismatch: if a leaf has more rows than the plan's bound.
    """
    return tuple(
        _split(index, leaf, *_encode(leaf, source.run(leaf.sql, text_key), size))
        for index, leaf in enumerate(plan.leaves)
        if leaf.member == member
        for size in (_size(plan, leaf, source),)
    )


def padded_rows(n: int) -> int:
    """Return the next power of two, at least 64: the only size that others see."""
    return max(64, 1 << (n - 1).bit_length())


def receive(me: Party, leaf: Leaf, contribution: Contribution) -> Relation:
    """Read this party's share of a leaf.

    Raises:
        MessageInvalid: if the sizes are not those of the leaf.
    """
    n, most = contribution.n, padded_rows(leaf.max_rows)
    planes = 1 + sum(column.bits + column.nullable for column in leaf.bits)
    n_words = planes * words_for(n) + len(leaf.sums) * n
    lengths = [_SEED_WORDS, _SEED_WORDS, n_words]
    expected = lengths[me] + lengths[me.next]
    if n != padded_rows(n) or n > most or contribution.words.shape != (expected,):
        raise MessageInvalid("a contribution is not of the leaf's size", party=leaf.member)
    first = contribution.words[: lengths[me]]
    second = contribution.words[lengths[me] :]
    own, following = _expand(me, first, n_words), _expand(me.next, second, n_words)
    cut = planes * words_for(n)
    bits = Bits(own[:cut].reshape(planes, -1), following[:cut].reshape(planes, -1))
    sums = Arith(own[cut:].reshape(-1, n), following[cut:].reshape(-1, n))
    return _named(leaf, n, bits, sums)


def _expand(part: Party, words: U64, n_words: int) -> U64:
    if part is Party.P2:
        return words
    return stream(words.tobytes(), "contribution", n_words)


def _named(leaf: Leaf, n: int, bits: Bits, sums: Arith) -> Relation:
    widths = [column.bits + column.nullable for column in leaf.bits]
    valid, *parts = split_planes(bits, [1, *widths])
    columns = {
        column.name: Column(part, column.nullable)
        for column, part in zip(leaf.bits, parts, strict=True)
    }
    for name, known in leaf.fixed:
        columns[name] = _fixed(valid, columns[name], known)
    return Relation(
        n=n,
        valid=valid,
        columns=columns,
        sums={column.name: sums[i] for i, column in enumerate(leaf.sums)},
        clean=True,
        sorted_by=leaf.sorted_by,
    )


def _size(plan: Plan, leaf: Leaf, source: Source) -> int:
    """Return the rows of the largest table that a leaf reads, whatever it filters.

    Where answers are noisy that would be an exact one, and a gate tells nothing of rows that stay
    closed, not even how many there are: there it is as many as there may be.
    """
    if plan.noise is not None or plan.gate is not None:
        return leaf.max_rows
    return max((source.rows(table) for table in leaf.tables), default=0)


def _fixed(valid: Bits, column: Column, known: int) -> Column:
    """Return a column that holds the same bits in every row that is there; none is NULL."""
    places = range(column.planes.shape[0] - 1, -1, -1)
    planes = [valid if known >> place & 1 else valid ^ valid for place in places]
    return Column(concat_planes(planes), column.nullable)


def _encode(leaf: Leaf, columns: Mapping[str, NDArray[Any]], held: int) -> tuple[int, U64, U64]:
    """Return the padded row count, planes (valid first) and sums of a leaf's result."""
    n = len(next(iter(columns.values())))
    if n > leaf.max_rows:
        raise DataMismatch("a local part has more rows than the plan's bound", party=leaf.member)
    padded = padded_rows(min(max(n, held), leaf.max_rows))
    order = _order(leaf, columns, n)
    planes = [_pad_planes(np.full((1, n), 1, dtype=np.uint64), 1, padded)]
    for column in leaf.bits:
        words = np.stack([columns[name][order] for name in _words(column)])
        if column.nullable:
            null = columns[f"{column.name}_null"][order].astype(np.uint64)
            planes.append(_pad_planes(null[None], 1, padded))
        planes.append(_pad_planes(words.astype(np.uint64), column.bits, padded))
    sums = np.zeros((len(leaf.sums), padded), dtype=np.uint64)
    for i, total in enumerate(leaf.sums):
        sums[i, :n] = columns[total.name][order].astype(np.int64).view(np.uint64)
    return padded, np.concatenate(planes), sums


def _order(leaf: Leaf, columns: Mapping[str, NDArray[Any]], n: int) -> NDArray[np.intp]:
    """Order rows by the bits of `sorted_by`, NULL after all values."""
    keys: list[NDArray[Any]] = []
    by_name = {column.name: column for column in leaf.bits}
    for name in leaf.sorted_by:
        if by_name[name].nullable:
            keys.append(columns[f"{name}_null"])
        keys += [columns[word] for word in _words(by_name[name])]
    if not keys:
        return np.arange(n)
    return np.lexsort(keys[::-1])


def _words(column: BitsColumn) -> list[str]:
    return [f"{column.name}_{i}" for i in range(words_for(column.bits))]


def _pad_planes(words: U64, bits: int, padded: int) -> U64:
    """Slice words, shape (c, n) with the most significant first, into `bits` planes."""
    full = np.zeros((padded, words.shape[0]), dtype=np.uint64)
    full[: words.shape[1]] = words.T
    return to_planes(full, bits)


def _split(
    index: int, leaf: Leaf, n: int, planes: U64, sums: U64
) -> tuple[Contribution, Contribution, Contribution]:
    seeds = [secrets.token_bytes(KEY_BYTES) for _ in range(2)]
    cut = planes.size
    masks = [stream(seed, "contribution", cut + sums.size) for seed in seeds]
    last = np.concatenate([planes.reshape(-1), sums.reshape(-1)])
    for mask in masks:
        last[:cut] ^= mask[:cut]
        last[cut:] -= mask[cut:]
    x0, x1 = (np.frombuffer(seed, dtype=np.uint64) for seed in seeds)
    parts = [(x0, x1), (x1, last), (last, x0)]
    first, second, third = (Contribution(index, n, np.concatenate(pair)) for pair in parts)
    return first, second, third
