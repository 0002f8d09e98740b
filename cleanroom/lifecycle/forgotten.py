"""Persons whose rows an owner leaves out of everything from now on.

Rule: who they are stands in the sealed state alone, about their table: it goes when that is erased.
Others see that an epoch of the owner's rows begins, and which table is concerned in its log.
"""

from collections.abc import Collection, Mapping
from typing import Protocol

from cleanroom.audit.epochs import begin_epoch
from cleanroom.audit.log import append
from cleanroom.audit.record import Kind, Record
from cleanroom.contract.terms import Terms
from cleanroom.errors import TableErased, UnknownName
from cleanroom.storage.state import State
from cleanroom.storage.view import View


class Rows(Protocol):
    """An owner's loaded tables."""

    def leave_out(self, table: str, persons: Collection[str]) -> int:
        """Remove the rows of persons, written as text; return how many rows went."""
        ...


def own_table(view: View, terms: Terms, member: str, table: str) -> None:
    """Return if a member has rows of a table, in which persons can be forgotten.

    Raises:
        UnknownName: if it has no such table. TableErased: if that was erased here.
    """
    if table not in (own := tuple(terms.tables_of(member))):
        remedy = f"It has {', '.join(own) or 'none'}."
        raise UnknownName(f"{member} has no rows of a table {table!r}", remedy=remedy)
    if table in view.erased():
        raise TableErased(f"table {table} was erased here")


def forget(state: State, table: str, persons: Collection[str]) -> None:
    """Leave the rows of persons of one table out, from the next session on.

    Args:
        persons: as the table's person column holds them, written as text.

    Raises:
        TableErased: if the table was erased here.
        StateUnavailable: if it can't be written down.
    """
    with state.writing() as batch:
        for person in persons:
            batch.put(_name(table), person, b"", about=(table,))
        append(batch, Record.now(Kind.FORGOTTEN, table=table))
        begin_epoch(batch)


def forgotten(view: View, tables: Collection[str]) -> Mapping[str, frozenset[str]]:
    """Return who is left out, by table."""
    return {table: frozenset(row for row, _ in view.rows(_name(table))) for table in tables}


class LeftOut:
    """Keeps loaded rows free of all who were forgotten, whichever process wrote that down."""

    def __init__(self, rows: Rows, tables: Collection[str]) -> None:
        self._rows = rows
        self._gone: dict[str, frozenset[str]] = dict.fromkeys(tables, frozenset())
        self._at = 0

    def renew(self, state: State) -> bool:
        """Remove the rows of persons who were forgotten since; return whether anybody was."""
        with state.reading() as view:
            if view.version == self._at:
                return False
            found, at = forgotten(view, self._gone), view.version
        changed = False
        for table, persons in found.items():
            if new := persons - self._gone[table]:
                self._rows.leave_out(table, new)
                self._gone[table], changed = persons, True
        self._at = at
        return changed


def _name(table: str) -> str:
    return f"forgotten {table}"
