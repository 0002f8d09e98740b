"""A room as one of its members holds it in Python: what flows along payments to its accounts.

Rule: what a caller may call. A propagation is asked as a text, which every member compiles.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from cleanroom.plan.graphs import PropagationKind
from cleanroom.recipient.client import DEADLINE_S
from cleanroom.recipient.queries import Manner, Query
from cleanroom.recipient.result import Result
from cleanroom.recipient.standing import Standing

if TYPE_CHECKING:
    from cleanroom.recipient.explanation import Explanation


class Propagations(Standing):
    """Scores and marks that flow along payments between all members' accounts."""

    def propagate(
        self,
        name: str,
        *,
        rounds: int = 2,
        purpose: str = "",
        deadline_s: int = DEADLINE_S,
        on_progress: Callable[[str, str], None] | None = None,
    ) -> Result:
        """Return the score of each of this member's own accounts, after some rounds.

        In each round an account's score becomes (1 - damping) of it and damping of the scores of
        those that paid into it, weighed by their parts of all that it was paid. Nobody learns a
        score, or a payment, of accounts that others keep.

        Args:
            name: of the contract's propagation.
            rounds: from 1 to its max_rounds.
            purpose, deadline_s, on_progress: as in `sql`.

        Raises:
            PolicyDenied: naming every rule of the contract that forbids it.
            DataMismatch: if two members keep one account.
            CleanroomError: as `sql`.
        """
        query = self._propagation("propagate", name, rounds, purpose)
        return query.ask(None, deadline_s, on_progress)

    def reach(
        self,
        name: str,
        *,
        hops: int = 2,
        purpose: str = "",
        deadline_s: int = DEADLINE_S,
        on_progress: Callable[[str, str], None] | None = None,
    ) -> Result:
        """Return which of this member's own accounts money reached from a marked one.

        Marked are the accounts of all members that start with a score above 0.

        Args:
            name: of the contract's propagation.
            hops: payments between the marked account and this one, at most; from 1 to max_rounds.
            purpose, deadline_s, on_progress: as in `sql`.

        Raises:
            PolicyDenied, DataMismatch, CleanroomError: as `propagate`.
        """
        query = self._propagation("reach", name, hops, purpose)
        return query.ask(None, deadline_s, on_progress)

    def explain_propagate(
        self, name: str, *, rounds: int = 2, purpose: str = "", offline: bool = False
    ) -> "Explanation":
        """Return who would learn what from `propagate`, at which cost, and all rulings on it.

        Args:
            offline: as in `explain`.

        Raises:
            UnknownName, UnsupportedQuery: as the message says.
        """
        return self._propagation("propagate", name, rounds, purpose).explain(offline=offline)

    def explain_reach(
        self, name: str, *, hops: int = 2, purpose: str = "", offline: bool = False
    ) -> "Explanation":
        """Return who would learn what from `reach`, at which cost, and all rulings on it."""
        return self._propagation("reach", name, hops, purpose).explain(offline=offline)

    def _propagation(self, kind: PropagationKind, name: str, rounds: int, purpose: str) -> Query:
        from cleanroom.sql.propagation import statement

        return Query.of(self._client, statement(kind, name, rounds), Manner("mpc", purpose=purpose))
