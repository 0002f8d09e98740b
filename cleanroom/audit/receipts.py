"""Whether a log knows of a receipt: what its member signed in that session stands in its records.

Rule: a receipt is believed only once its signatures hold; a log is asked, never the receipt.
"""

from collections.abc import Iterable, Iterator

from cleanroom.audit.record import Kind, Record
from cleanroom.audit.verify import Seen
from cleanroom.contract.document import COORDINATOR, Contract
from cleanroom.session.receipt import Receipt
from cleanroom.session.statements import Finished, Ruling, Statement


def seen_in(party: str, receipt: Receipt, contract: Contract) -> list[Seen]:
    """Return how long a member's log was when it ruled, as a receipt has it.

    Raises:
        NotAuthorised, MessageInvalid: if the receipt doesn't hold.
    """
    return [
        Seen("the receipt", one.log_size, bytes.fromhex(one.log_root))
        for one in receipt.verify(contract)
        if isinstance(one, Ruling) and one.party == party and one.log_root is not None
    ]


def missing(
    party: str, receipt: Receipt, contract: Contract, records: Iterable[Record]
) -> Iterator[str]:
    """Yield what a receipt proves of a member and its log doesn't say."""
    statements = receipt.verify(contract)
    session = statements[0].session
    own = [record for record in records if record.session == session]
    done = {record.digest for record in own if record.kind is Kind.FINISHED}
    for what, digest in _said(party, statements, receipt):
        if digest not in done:
            yield f"session {session}: the log lacks {what}"


def _said(
    party: str, statements: tuple[Statement, ...], receipt: Receipt
) -> Iterator[tuple[str, str]]:
    if party == COORDINATOR:
        yield "the whole session", receipt.digest
    for one in statements:
        if isinstance(one, Finished) and one.party == party:
            yield f"its part as {one.role}", one.digest
