"""A member's loaded tables as they stand: nobody in them who was forgotten, and committed to.

Rule: rows change between sessions alone, and never without others being told: who is forgotten
begins an epoch of the member's rows, and is out of what it then commits to.
"""

from collections.abc import Collection, Sequence

from cleanroom.audit.epochs import committed
from cleanroom.contract.document import Contract
from cleanroom.lifecycle.forgotten import LeftOut
from cleanroom.session.statements import Committed
from cleanroom.sources.database import Database
from cleanroom.storage.state import State


class OwnTables:
    """One member's tables.

    Args:
        tables: those that were loaded.
    """

    def __init__(
        self,
        database: Database,
        state: State,
        contract: Contract,
        member: str,
        tables: Collection[str],
    ) -> None:
        self._database, self._state = database, state
        self._contract, self._member, self._tables = contract, member, tables
        self._left_out = LeftOut(database, tables)
        self._inputs: tuple[Committed, ...] | None = None

    def renewed(self) -> Sequence[Committed]:
        """Leave out who was forgotten since, drop what was erased; return what is committed to.

        Raises:
            RowsChanged: naming a table whose rows changed within the epoch.
            StateUnavailable: if it can't be written down.
        """
        with self._state.reading() as view:
            erased = view.erased()
        for table in erased:
            self._database.drop(table)
        changed = self._left_out.renew(self._state)
        if changed or self._inputs is None:
            where = self._state, self._contract, self._member
            self._inputs = committed(*where, set(self._tables) - erased, self._database)
        return self._inputs
