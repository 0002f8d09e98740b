"""One question of a recipient, from how it may run to its result, or to all rulings on it.

Rule: what asking by text and asking by template have in common.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cleanroom.engine import Numbers
from cleanroom.errors import PeerUnavailable
from cleanroom.plan.contributors import can_leave_out
from cleanroom.plan.plan import Plan, Protocol
from cleanroom.plan.question import Question
from cleanroom.plan.template import TemplateUse
from cleanroom.query.sought import weights_of
from cleanroom.recipient.asking import Progress
from cleanroom.recipient.client import Client
from cleanroom.recipient.result import Result

if TYPE_CHECKING:
    from cleanroom.recipient.explanation import Explanation


@dataclass(frozen=True, slots=True)
class Manner:
    """How something is asked, whatever it is; see `Room.sql`."""

    protocol: Protocol | None = None
    without: Collection[str] = ()
    purpose: str = ""
    epsilon: float | None = None
    min_group: int = 1

    @property
    def left_out(self) -> tuple[str, ...]:
        """Members to leave out, each once; one may be given by its name alone."""
        members = (self.without,) if isinstance(self.without, str) else self.without
        return tuple(sorted(set(members)))


@dataclass(frozen=True, slots=True)
class Query:
    """A question, and whether it is to run on shares or ciphertexts.

    Attributes:
        protocol: None takes the cheaper one, unless it opens more.
    """

    client: Client
    question: Question
    protocol: Protocol | None

    @classmethod
    def of(
        cls, client: Client, sql: str, manner: Manner, template: TemplateUse | None = None
    ) -> "Query":
        """Return what is asked in this member's name; who leaves somebody out asks for `he`."""
        left_out = manner.left_out
        question = Question(
            sql,
            client.name,
            without=left_out,
            purpose=manner.purpose,
            epsilon=manner.epsilon,
            min_group=manner.min_group,
            template=template,
        )
        protocol = "he" if left_out and manner.protocol is None else manner.protocol
        return cls(client, question, protocol)

    def ask(
        self,
        private: Mapping[str, Any] | None,
        deadline_s: int,
        progress: Progress | None,
        *,
        fresh: bool = False,
    ) -> Result:
        """Run it in the room; see `Room.sql`."""
        plan = self.client.ways(self.question).plan(self.protocol)
        weights = _weights(plan, private)
        told: Progress = progress or (lambda _stage, _member: None)
        try:
            return Result(self.client.ask(plan, deadline_s, told, weights, fresh=fresh))
        except PeerUnavailable as error:
            if can_leave_out(plan, self.client.contract.terms, error.party):
                error.remedy += f" Or leave its rows out: without = {error.party!r}."
            raise

    def explain(self, *, offline: bool) -> "Explanation":
        """Have every member rule on it; see `Room.explain`."""
        from cleanroom.plan.sheet import Sheet

        ways = self.client.ways(self.question)
        plan = ways.plan(self.protocol)
        other = self.client.allowed(ways.other(plan))
        sheet = Sheet.of(plan, self.client.contract.terms, other)
        return self.client.explained(plan, sheet, offline=offline)


def _weights(plan: Plan, private: Mapping[str, Any] | None) -> Numbers | None:
    """Return what private parameters stand for, as weights of all values; None without any."""
    asked = None if plan.ciphertexts is None else plan.ciphertexts.private
    weights = weights_of(asked, private)
    return None if asked is None else weights
