"""What each recipient asked before: how often a column was compared, which rows of which tables.

Rule: on disk before anything is answered, in the state that keeps the budgets too. It goes when the
table is erased that it tells of, and is never told to anybody.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict

from cleanroom.errors import StateRestored
from cleanroom.plan.restrictions import Base, Restriction
from cleanroom.plan.rowsets import RowSet
from cleanroom.storage.view import Batch, View

_COMPARED, _SETS = "compared", "row sets"


def comparisons(view: View, recipient: str, columns: Collection[Base]) -> Mapping[Base, int]:
    """Return how many questions of a recipient have compared each column."""
    found = ((base, view.get(_COMPARED, _row(recipient, *base))) for base in columns)
    return {base: 0 if count is None else int(count) for base, count in found}


def count_comparisons(batch: Batch, recipient: str, columns: Collection[Base]) -> None:
    """Count one question for each column.

    Raises:
        StateRestored: if the state came out of a backup, which may not know of all questions.
    """
    _check(batch)
    for base, before in comparisons(batch, recipient, columns).items():
        row, count = _row(recipient, *base), str(before + 1).encode()
        batch.put(_COMPARED, row, count, about=(base[0],))


def row_sets(view: View, recipient: str, tables: Iterable[str]) -> Mapping[str, tuple[RowSet, ...]]:
    """Return the different sets of rows of each table that a recipient has asked about."""
    return {table: _read(view, recipient, table) for table in tables}


def keep_row_sets(batch: Batch, recipient: str, sets: Collection[RowSet]) -> None:
    """Keep the sets that a question is about.

    Raises:
        StateRestored: as `count_comparisons`.
    """
    _check(batch)
    for one in sets:
        before = _read(batch, recipient, one.table)
        if one not in before:
            content = json.dumps([asdict(each) for each in (*before, one)]).encode()
            batch.put(_SETS, _row(recipient, one.table), content, about=(one.table,))


def _read(view: View, recipient: str, table: str) -> tuple[RowSet, ...]:
    content = view.get(_SETS, _row(recipient, table))
    return () if content is None else tuple(_row_set(one) for one in json.loads(content))


def _row_set(values: dict[str, object]) -> RowSet:
    chosen = values.pop("chosen")
    if not isinstance(chosen, list):
        raise TypeError("a row set's conditions are a list")
    found = (Restriction(**{**one, "values": tuple(one["values"])}) for one in chosen)
    return RowSet(**values, chosen=tuple(found))  # type: ignore[arg-type]


def _check(batch: Batch) -> None:
    if batch.restored:
        raise StateRestored(batch.restored)


def _row(*names: str) -> str:
    return json.dumps(names)
