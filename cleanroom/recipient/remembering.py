"""A recipient's own record of its sessions, and what it holds members to from one to the next."""

from collections.abc import Callable
from dataclasses import dataclass

from cleanroom.audit.log import append, check_member, set_member
from cleanroom.audit.record import Kind, Record
from cleanroom.audit.remembered import remember
from cleanroom.errors import LogDiverged, RowsChanged
from cleanroom.recipient.heard import Heard
from cleanroom.session.receipt import Receipt
from cleanroom.storage.state import State


@dataclass(frozen=True, slots=True)
class Remembering:
    """Attributes: state: opens this process's state. name: of its member."""

    state: Callable[[], State]
    name: str

    def keep(self, session: Heard) -> None:
        """Write a session down, if its members stand where they said they stood before.

        Raises:
            LogDiverged, RowsChanged: naming a member that doesn't.
            StateUnavailable: if it can't be written.
        """
        receipt = Receipt(tuple(session.signed)).digest
        with self.state() as state:
            with state.reading() as view:
                check_member(view, self.name, state.path)
            try:
                with state.writing() as batch:
                    set_member(batch, self.name)
                    remember(batch, session.request, session.rulings, receipt)
            except (LogDiverged, RowsChanged) as fault:
                with state.writing() as batch:
                    about = {"who": fault.party, "session": session.request.session}
                    append(batch, Record.now(Kind.DIVERGED, codes=(fault.code,), **about))
                raise
