"""A plan on ciphertexts: an owner's rows as totals of cells, and all owners' totals as groups.

Rule: the layout of cells and nothing else; both its writer and its reader are here. Nothing is
encrypted here. Numbers stand total by total, and in each one cell by cell; then histogram by
histogram, and in each one cell by cell and value by value.
"""

import secrets
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cleanroom.errors import DataMismatch, PeerMisbehaved
from cleanroom.execution.contribute import Source
from cleanroom.execution.histograms import values_of
from cleanroom.execution.noise import shares_of
from cleanroom.execution.outcome import Opened
from cleanroom.plan.ciphertexts import CellKey, Ciphertexts, Histogram
from cleanroom.plan.leaf import Leaf
from cleanroom.plan.nodes import Derive, Derived
from cleanroom.plan.plan import Plan
from cleanroom.plan.schema import schema_of
from protocols.dp.words import Words
from protocols.randomness import KEY_BYTES

I64: TypeAlias = NDArray[np.int64]
Columns: TypeAlias = Mapping[str, NDArray[Any]]


def add_up(
    plan: Plan, member: str, source: Source, text_key: bytes, words: Words | None = None
) -> I64:
    """Run a member's leaves on its rows and add up its cells, shape (plan's numbers,).

    Args:
        words: what this member's noise is drawn from, if the plan is noisy: its own alone.

    Raises:
        DataMismatch: if a leaf has more rows than the plan's bound, or a value beyond a key's.
    """
    cells, derive = _cells(plan), plan.root.input.input
    numbers = np.zeros(cells.numbers, dtype=np.int64)
    totals, histograms = _parts(cells, numbers, cells.cells * cells.values)
    for leaf in plan.leaves:
        if leaf.member == member and isinstance(derive, Derive):
            columns = source.run(leaf.sql, text_key)
            places = _places(cells, columns, leaf)
            values = {d.name: _total(d, columns, places.size) for d in derive.sums}
            for name, total in zip(cells.totals, totals, strict=True):
                np.add.at(total, places, values[name])
            for one, counts in histograms.items():
                codes = _codes(one.column, one.size, columns, leaf)
                np.add.at(counts, (places, codes.astype(np.intp)), values[one.weight])
    if plan.noise is not None:
        drawn = shares_of(plan.noise, words or Words(secrets.token_bytes(KEY_BYTES)))
        for name, total in zip(cells.totals, totals, strict=True):
            total += drawn[name]
    return numbers


def read(plan: Plan, numbers: I64) -> Opened:
    """Read the totals over all members: the cells that have rows are the groups.

    Raises:
        PeerMisbehaved: if a total is beyond the bound that all members' rows keep to, or a
            histogram is none.
    """
    cells = _cells(plan)
    totals, histograms = _parts(cells, numbers, cells.cells)
    weight = 1 if cells.private is None else cells.private.largest
    bounds = {column.name: column.bound * weight for column in schema_of(plan.root.input).sums}
    if plan.noise is not None:
        bounds = {name: bound + plan.noise.most(name) for name, bound in bounds.items()}
    for name, total in zip(cells.totals, totals, strict=True):
        if int(total.max()) > bounds[name] or int(total.min()) < -bounds[name]:
            raise PeerMisbehaved(f"{name} is larger than the declared bounds allow")
    for one, counts in histograms.items():
        weight = totals[cells.totals.index(one.weight)]
        if int(counts.min()) < 0 or not np.array_equal(counts.sum(axis=1), weight):
            raise PeerMisbehaved(f"the histogram of {one.meaning} doesn't add up to its total")
    there = np.arange(cells.cells)
    if cells.present is not None:
        there = np.flatnonzero(totals[cells.totals.index(cells.present)])
    columns: dict[str, NDArray[Any]] = dict(zip(cells.totals, totals[:, there], strict=True))
    rest = there
    for key in reversed(cells.keys):
        rest, codes = np.divmod(rest, key.choices)
        columns.update(_key_columns(key, codes))
    counted = {one.column: counts[there] for one, counts in histograms.items()}
    columns.update(values_of(plan.root.input, counted))
    return Opened(len(there), columns, suppressed=0)


def _cells(plan: Plan) -> Ciphertexts:
    if plan.ciphertexts is None:
        raise ValueError("the plan runs on shares")
    return plan.ciphertexts


def _parts(cells: Ciphertexts, numbers: I64, n: int) -> tuple[I64, dict[Histogram, I64]]:
    """Return views of totals, shape (totals, n), and histograms, each (n, values).

    Args:
        n: how many numbers each total has: cells, times the values that are told apart in private.
    """
    start = len(cells.totals) * n
    histograms: dict[Histogram, I64] = {}
    totals = numbers[:start].reshape(-1, n)
    for one in cells.histograms:
        end = start + n * one.size
        histograms[one] = numbers[start:end].reshape(n, one.size)
        start = end
    return totals, histograms


def _places(cells: Ciphertexts, columns: Columns, leaf: Leaf) -> NDArray[np.intp]:
    """Return the cell of each row of a leaf."""
    n = len(next(iter(columns.values())))
    if n > leaf.max_rows:
        raise DataMismatch("a local part has more rows than the plan's bound", party=leaf.member)
    places = np.zeros(n, dtype=np.intp)
    for key in cells.told_apart:
        codes = _codes(key.name, key.size, columns, leaf)
        if key.nullable:
            missing = columns[f"{key.name}_null"].astype(np.bool_)
            codes = np.where(missing, np.uint64(key.size), codes)
        places = places * key.choices + codes.astype(np.intp)
    return places


def _codes(name: str, size: int, columns: Columns, leaf: Leaf) -> NDArray[np.uint64]:
    """Return a column's codes, zero where it is NULL."""
    codes: NDArray[np.uint64] = columns[f"{name}_0"].astype(np.uint64)
    if codes.size and int(codes.max()) >= size:
        raise DataMismatch("a column has a value beyond its declared ones", party=leaf.member)
    return codes


def _total(derived: Derived, columns: Columns, n: int) -> I64:
    """Compute a derived column; partial sums may wrap, what is left of them doesn't."""
    total = np.zeros(n, dtype=np.int64)
    for term in derived.terms:
        (factor,) = term.factors
        total += np.int64(term.coefficient) * columns[factor].astype(np.int64)
    return total


def _key_columns(key: CellKey, codes: NDArray[np.intp]) -> dict[str, NDArray[Any]]:
    """Return a key's columns as leaf SQL names them: all zero where it is NULL."""
    missing = codes == key.size
    columns: dict[str, NDArray[Any]] = {
        f"{key.name}_0": np.where(missing, 0, codes).astype(np.uint64)
    }
    if key.nullable:
        columns[f"{key.name}_null"] = missing
    return columns
