"""A query of the recipient's own, bound and placed, and the plan of each way in which it may run.

Rule: a function a way: noisily, with private parameters, on ciphertexts, on shares.
"""

from dataclasses import dataclass, replace

from cleanroom.contract.terms import Terms
from cleanroom.errors import UnsupportedQuery
from cleanroom.plan.ciphertexts import Ciphertexts
from cleanroom.plan.noise import QueryNoise
from cleanroom.plan.plan import Plan, Use
from cleanroom.plan.question import Question
from cleanroom.query.cells import lower_to_cells
from cleanroom.query.controls import Controls
from cleanroom.query.left_out import check_left_out, terms_without
from cleanroom.query.lower import Lowered, lower
from cleanroom.query.nesting import nest_of
from cleanroom.query.noise import checked_epsilon
from cleanroom.query.noisy import lower_noisily
from cleanroom.query.placing import place
from cleanroom.query.private import lower_privately, private_uses
from cleanroom.query.restricting import facts_of
from cleanroom.query.rowsets import row_sets
from cleanroom.query.sources import Placement
from cleanroom.query.uses import shown_uses, uses
from cleanroom.sql.bind import Query, bind
from cleanroom.sql.private import Taken

_SHOWN = "Name the values in the query: it is noisy, but owners read it."
_PRIVATE = "Ask with protocol 'he', or with none: they are asked on ciphertexts alone."


@dataclass(frozen=True, slots=True)
class Way:
    """How a query runs.

    Attributes:
        uses: what this way needs beyond what the query does.
    """

    lowered: Lowered
    ciphertexts: Ciphertexts | None = None
    noise: QueryNoise | None = None
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A query that is bound and placed, before it is known how it runs.

    Attributes:
        terms: without the parts of members that it leaves out.
        query: of the text without its private parameters.
    """

    question: Question
    terms: Terms
    taken: Taken
    query: Query
    placement: Placement

    @classmethod
    def of(cls, question: Question, terms: Terms, taken: Taken) -> "Asked":
        query = bind(taken.select, terms, nest_of(terms))
        if question.without:
            check_left_out(query, _left_out(question), question.protocol)
            terms = terms_without(terms, _left_out(question))
            query = bind(taken.select, terms, nest_of(terms))
        return cls(question, terms, taken, query, place(query))

    def plan(self, contract_hash: str) -> Plan:
        question, left_out = self.question, _left_out(self.question)
        needed = uses(self.query, self.placement)
        way = self._way()
        chosen = facts_of(self.query, self.placement)
        hidden = self.terms.privacy.group_count == "hidden" and way.noise is None
        return Plan(
            contract_hash=contract_hash,
            recipient=question.recipient,
            sql=question.sql,
            uses=tuple(sorted({*needed, *way.uses})),
            restrictions=chosen.restrictions,
            linked=chosen.linked,
            row_sets=row_sets(self.query, chosen, left_out),
            root=replace(way.lowered.root, hidden=hidden),
            opened=way.lowered.opened,
            final_sql=way.lowered.final_sql,
            ciphertexts=way.ciphertexts,
            noise=way.noise,
            without=left_out,
            purpose=question.purpose,
            template=question.template,
        )

    def _way(self) -> Way:
        epsilon = _epsilon(self.question, self.terms)
        if epsilon is not None:
            return self._noisily(epsilon)
        if self.taken.marks:
            return self._privately()
        return self._on_ciphertexts() if self.question.protocol == "he" else self._on_shares()

    def _noisily(self, epsilon: float) -> Way:
        if self.taken.marks:
            raise UnsupportedQuery("private parameters under release = 'dp'", remedy=_SHOWN)
        by, to = self.question.protocol, self.question.recipient
        noisy = lower_noisily(self.query, self.placement, self.terms, to, epsilon, by)
        return Way(noisy.lowered, noisy.ciphertexts, noisy.noise)

    def _privately(self) -> Way:
        query, taken, terms = self.query, self.taken, self.terms
        keys = bind(taken.by_columns(), terms, nest_of(terms)).keys
        lowered, ciphertexts = lower_privately(query, self.placement, taken, keys, terms)
        needed = private_uses(query, taken, keys)
        if self.question.protocol != "he":
            raise UnsupportedQuery("private parameters with protocol 'mpc'", remedy=_PRIVATE)
        return Way(lowered, ciphertexts, uses=needed)

    def _on_ciphertexts(self) -> Way:
        cells = lower_to_cells(self.query, self.placement)
        needed = shown_uses(self.query, self.placement, cells.shown)
        return Way(cells.lowered, cells.ciphertexts, uses=needed)

    def _on_shares(self) -> Way:
        controls = Controls.of(self.terms, self.question.recipient)
        return Way(lower(self.query, self.placement, self.terms.privacy.min_group, controls))


def _left_out(question: Question) -> tuple[str, ...]:
    return tuple(sorted(set(question.without)))


def _epsilon(question: Question, terms: Terms) -> float | None:
    """Return what the question costs, None where answers aren't noisy.

    Raises:
        UnsupportedQuery: if it asks for an epsilon that promises nothing, or where none counts.
    """
    privacy = terms.privacy
    if privacy.release == "dp":
        if question.min_group > 1:
            what = f"groups of at least {question.min_group} persons under release = 'dp'"
            remedy = "Ask without: whether a group is that large would be an exact answer."
            raise UnsupportedQuery(what, remedy=remedy)
        asked = question.epsilon
        return checked_epsilon(privacy.asked_epsilon if asked is None else asked)
    if question.epsilon is not None:
        what = f"an epsilon under release = '{privacy.release}'"
        raise UnsupportedQuery(what, remedy="Ask without: answers of this room aren't noisy.")
    return None
