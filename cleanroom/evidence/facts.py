"""What a report is made of: a contract, and what one member's own records say was done."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cleanroom.budget.ledger import Spent
from cleanroom.cards.shelf import with_foundations
from cleanroom.contract.columns import Right
from cleanroom.contract.document import Contract
from cleanroom.contract.terms import Role, Terms
from cleanroom.plan.used import cards_under
from protocols.card import Card


@dataclass(frozen=True, slots=True)
class Ran:
    """What a member's log says of one kind of request.

    Attributes:
        refused: code of a refusal -> how often.
    """

    kind: str
    recipient: str
    purpose: str
    done: int
    refused: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a report may say.

    Attributes:
        made_at: in UTC.
        member: whose records these are; empty if there is only the contract.
        budgets: None if no ledger was read.
        ran: None if no log was read.
        own_policy: what the member refuses beyond the contract: key -> value.
    """

    contract: Contract
    made_at: dt.datetime
    member: str = ""
    budgets: tuple[Spent, ...] | None = None
    ran: tuple[Ran, ...] | None = None
    own_policy: Mapping[str, object] = field(default_factory=dict)

    @property
    def terms(self) -> Terms:
        return self.contract.terms

    @property
    def recipients(self) -> tuple[str, ...]:
        """Members that may receive results."""
        return tuple(n for n, m in self.terms.members.items() if Role.RESULT in m.roles)

    @property
    def cards(self) -> tuple[Card, ...]:
        """Of all techniques that the contract allows, and of what they rest on."""
        return with_foundations(cards_under(self.terms))

    @property
    def source(self) -> str:
        """Say from what the report was written."""
        room, made = self.terms.room, f"{self.made_at:%Y-%m-%d %H:%M} UTC"
        records = f" and the records of {self.member}" if self.member else " alone"
        return (
            f"Written on {made} from the contract of room {room.name}, version {room.version}"
            f"{records}. Contract hash: {self.contract.hash}. {self._signatures()}"
        )

    def _signatures(self) -> str:
        missing = [name for name in self.terms.members if name not in self.contract.signatures]
        return f"Not yet signed by: {', '.join(missing)}." if missing else "Signed by all members."

    def unused(self) -> Iterator[tuple[str, str]]:
        """Yield tables and columns that no recipient may use for anything."""
        compared = {one for of in self.terms.propagations.values() for one in of.columns}
        compared |= {one for of in self.terms.linkages.values() for one in of.columns}
        for name, table in self.terms.tables.items():
            for column, terms in table.columns.items():
                used = column == table.person or (name, column) in compared
                if not used and not any(rights for *_, rights in terms.granted()):
                    yield name, column

    def granted(self, right: Right) -> Iterator[tuple[str, str]]:
        """Yield tables and columns for which somebody has a right."""
        for name, table in self.terms.tables.items():
            for column, terms in table.columns.items():
                if any(right in rights for *_, rights in terms.granted()):
                    yield name, column
