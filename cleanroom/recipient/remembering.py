"""A recipient's own record of its sessions, and what it holds members to from one to the next."""

import threading
from collections.abc import Callable

from cleanroom.audit.log import append, check_member, set_member
from cleanroom.audit.record import Kind, Record
from cleanroom.audit.remembered import remember
from cleanroom.errors import LogDiverged, RowsChanged
from cleanroom.recipient.heard import Heard
from cleanroom.session.receipt import Receipt
from cleanroom.storage.state import State


class Remembering:
    """Keeps the state open once it was needed: opening it checks all that was ever written.

    Args:
        opens: opens this process's state. name: of its member.
    """

    def __init__(self, opens: Callable[[], State], name: str) -> None:
        self._opens, self._name = opens, name
        self._opening = threading.Lock()
        self._state: State | None = None

    def close(self) -> None:
        """Close the state, if it is open."""
        with self._opening:
            if self._state is not None:
                self._state.close()
                self._state = None

    def keep(self, session: Heard) -> None:
        """Write a session down, if its members stand where they said they stood before.

        Raises:
            LogDiverged, RowsChanged: naming a member that doesn't.
            StateUnavailable: if it can't be written.
        """
        receipt, state = Receipt(tuple(session.signed)).digest, self._opened()
        try:
            with state.writing() as batch:
                set_member(batch, self._name)
                remember(batch, session.request, session.rulings, receipt)
        except (LogDiverged, RowsChanged) as fault:
            with state.writing() as batch:
                about = {"who": fault.party, "session": session.request.session}
                append(batch, Record.now(Kind.DIVERGED, codes=(fault.code,), **about))
            raise

    def _opened(self) -> State:
        with self._opening:
            if self._state is None:
                self._state = self._opens()
                with self._state.reading() as view:
                    check_member(view, self._name, self._state.path)
            return self._state
