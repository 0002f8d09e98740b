"""A member's decisions about plans, in its state: what waits, what may run and how often.

Rule: durable before it counts, and logged with it. An approval is of one plan hash, and so of
contract, recipient, purpose, query and protocol; it is used up on disk before a run begins. What a
recipient can make this member keep is bounded.
"""

import datetime as dt
import hashlib
import time
from collections.abc import Mapping

from cleanroom.approval.entry import Entry, State
from cleanroom.audit.log import append
from cleanroom.audit.record import Kind, Record
from cleanroom.errors import ApprovalUnknown, StateRestored
from cleanroom.session.statements import Request, Signed
from cleanroom.storage import state as storage
from cleanroom.storage.view import Batch, View

MAX_WAITING = 50  # plans of one recipient
WAITING_DAYS = 30
LEAST_PREFIX = 8  # digits of a plan hash that name it
_TABLE = "approvals"


class Approvals:
    """Safe to use from many threads, and while the member's process runs."""

    def __init__(self, state: storage.State) -> None:
        self._state = state

    def find(self, plan_hash: str) -> Entry | None:
        """Return what is kept of a plan."""
        with self._state.reading() as view:
            return _get(view, plan_hash)

    def entries(self) -> tuple[Entry, ...]:
        """Return everything that is kept, the oldest first."""
        with self._state.reading() as view:
            found = [Entry.model_validate_json(value) for _, value in view.rows(_TABLE)]
        return tuple(sorted(found, key=lambda entry: (entry.asked_at, entry.plan_hash)))

    def ask(
        self,
        request: Request,
        signed: Signed,
        what: str,
        today: dt.date,
        tables: tuple[str, ...] = (),
    ) -> bool:
        """Keep a request until somebody decides; return False if too many of its recipient wait.

        A plan that was approved and is used up waits anew; one that waits or was denied stays.
        """
        entry = Entry.of(request, signed, what, time.time(), tables)
        with self._state.writing() as batch:
            before = _get(batch, entry.plan_hash)
            if before is not None and before.state(today) is not State.USED:
                return True
            if self._waiting(batch, request.recipient) >= MAX_WAITING:
                return False
            _put(batch, entry, expires=today + dt.timedelta(days=WAITING_DAYS))
            append(batch, _record(Kind.APPROVAL_ASKED, entry))
        return True

    def take(self, plan_hash: str, today: dt.date) -> bool:
        """Use an approval once; return False if there is none any more.

        Raises:
            StateRestored: if the state came out of a backup, which may not know how often an
                approval was used since, or that it was taken back.
        """
        with self._state.writing() as batch:
            entry = _get(batch, plan_hash)
            if entry is None or entry.state(today) is not State.APPROVED:
                return False
            if batch.restored:
                raise StateRestored(batch.restored)
            if entry.times is not None:
                _put(batch, entry.model_copy(update={"times": entry.times - 1}))
        return True

    def approve(self, plan_hash: str, times: int | None, until: dt.date | None) -> Entry:
        """Let a plan run that was asked for.

        Args:
            plan_hash: or its first digits, LEAST_PREFIX at least.
            times: how often; None without limit. until: the last day (UTC) on which it may.

        Raises:
            ApprovalUnknown: if nobody asked for it, or the digits name several.
        """
        decided = {"approved": True, "times": times, "until": until, "reason": ""}
        return self._decide(plan_hash, decided, Kind.APPROVED)

    def deny(self, plan_hash: str, reason: str) -> Entry:
        """Refuse a plan from now on; the reason is told to whoever asks for it.

        Raises:
            ApprovalUnknown: as `approve`.
        """
        decided = {"approved": False, "times": None, "until": None, "reason": reason}
        return self._decide(plan_hash, decided, Kind.DENIED)

    def named(self, plan_hash: str) -> Entry:
        """Return the one plan of this hash, or whose hash begins so.

        Raises:
            ApprovalUnknown: if there is none, or several.
        """
        with self._state.reading() as view:
            return _named(view, plan_hash)

    def _decide(self, plan_hash: str, decided: Mapping[str, object], kind: Kind) -> Entry:
        with self._state.writing() as batch:
            entry = _named(batch, plan_hash).model_copy(update=decided)
            _put(batch, entry)
            append(batch, _record(kind, entry))
        return entry

    def _waiting(self, view: View, recipient: str) -> int:
        kept = (Entry.model_validate_json(value) for _, value in view.rows(_TABLE))
        return sum(one.recipient == recipient and one.approved is None for one in kept)


def _record(kind: Kind, entry: Entry) -> Record:
    """Return what the log says of a decision: no reason, which may name what it is about."""
    return Record.now(
        kind,
        who=entry.recipient,
        purpose=entry.purpose or None,
        plan_hash=entry.plan_hash,
        protocol=entry.what,
        digest=hashlib.sha256(entry.signed.payload).hexdigest(),
    )


def _get(view: View, plan_hash: str) -> Entry | None:
    value = view.get(_TABLE, plan_hash)
    return None if value is None else Entry.model_validate_json(value)


def _put(batch: Batch, entry: Entry, expires: dt.date | None = None) -> None:
    content = entry.model_dump_json().encode()
    batch.put(_TABLE, entry.plan_hash, content, about=entry.tables, expires=expires)


def _named(view: View, plan_hash: str) -> Entry:
    if len(plan_hash) < LEAST_PREFIX:
        raise ApprovalUnknown(f"name a plan by at least {LEAST_PREFIX} digits of its hash")
    found = [row for row, _ in view.rows(_TABLE) if row.startswith(plan_hash)]
    if len(found) != 1:
        what = "several plans begin so" if found else "nobody asked for such a plan"
        raise ApprovalUnknown(what)
    entry = _get(view, found[0])
    if entry is None:
        raise ApprovalUnknown("nobody asked for such a plan")
    return entry
