"""Propagations: from a name and a number of rounds to a plan, by the contract's columns alone.

Rule: who asks chooses a name and a number. What an owner can compute by itself, such as a payment's
part of all that its target was paid, is SQL of that owner; a payment counts at the owner that keeps
its target, and nowhere else.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from sqlglot import exp

from cleanroom.contract.propagations import PropagationTerms
from cleanroom.contract.terms import Terms
from cleanroom.contract.types import Kind
from cleanroom.errors import UnknownName, UnsupportedQuery
from cleanroom.plan.graphs import Flow, Propagate
from cleanroom.plan.leaf import BitsColumn, Leaf, SumColumn
from cleanroom.plan.nodes import Aggregate
from cleanroom.plan.plan import OpenedColumn, Plan
from cleanroom.plan.question import Question
from cleanroom.plan.release import Release
from cleanroom.sql.domain import Domain, union
from cleanroom.sql.encode import Encoding, choose, words
from cleanroom.sql.propagation import Propagation
from cleanroom.sql.render import cast, constant, function, sql_of
from protocols.rep3.flow import SCORE_BITS
from protocols.rep3.graph import WEIGHT_BITS

_ACCOUNT, _SHOWN, _SCORE, _MARKED = "account", "shown", "score", "marked"
_SOURCE, _TARGET, _WEIGHT, _PLACE = "source", "target", "weight", "place"
_RANK, _ENTERING = "rank", "entering"


def compile_propagation(
    asked: Propagation, question: Question, terms: Terms, contract_hash: str
) -> Plan:
    """Compile a propagation.

    Raises:
        UnknownName: if the contract has none of this name.
        UnsupportedQuery: if it is asked in another way than on shares, for a member's own accounts.
    """
    _check(asked, question, terms)
    lowered = _Lowering(asked, terms, terms.propagations[asked.name], question.recipient)
    node = lowered.node()
    scored = (_SCORE,) if asked.kind == "propagate" else ()
    grouped = Aggregate(node, (node.shown,), (), scored, ())
    opened = tuple(lowered.opened(node))
    names = tuple(column.name for column in opened)
    return Plan(
        contract_hash=contract_hash,
        recipient=question.recipient,
        sql=question.sql,
        uses=(),
        root=Release(grouped, 1, None, names, most=node.own.max_rows, hidden=True),
        opened=opened,
        final_sql=_final_sql(node),
        purpose=question.purpose,
        template=question.template,
    )


def _check(asked: Propagation, question: Question, terms: Terms) -> None:
    name, asks = asked.name, question.recipient
    if name not in terms.propagations:
        remedy = f"It has {', '.join(terms.propagations) or 'none'}."
        raise UnknownName(f"the contract has no propagation {name[:64]!r}", remedy=remedy)
    if question.protocol != "mpc" or question.without:
        what = f"propagation {name} on ciphertexts, where no payment stays secret"
        raise UnsupportedQuery(what, remedy="Ask with protocol 'mpc', and leave nobody out.")
    if question.min_group > 1 or question.epsilon is not None:
        what = f"propagation {name} of groups, or with noise: it opens scores of single accounts"
        raise UnsupportedQuery(what, remedy="Ask without min_group and epsilon.")
    if asked.rounds < 1:
        raise UnsupportedQuery(f"propagation {name} of no round", remedy="Ask for 1 or more.")
    if asks not in terms.owners(terms.propagations[name].accounts):
        what = f"propagation {name} for {asks}, which keeps no accounts"
        raise UnsupportedQuery(what, remedy="A member learns of its own accounts alone.")


@dataclass(frozen=True, slots=True)
class _Lowering:
    asked: Propagation
    terms: Terms
    of: PropagationTerms
    recipient: str

    def node(self) -> Propagate:
        of, owners = self.of, self.terms.owners(self.of.accounts)
        plain = self._encoding(opened=True)
        shown = _ACCOUNT if plain == self._encoding() else _SHOWN
        damping = Fraction(of.damping)
        flow = Flow(
            self.asked.name,
            self.asked.kind,
            self.asked.rounds,
            (damping.numerator, damping.denominator),
        )
        others = tuple(self._accounts(owner) for owner in owners if owner != self.recipient)
        payments = tuple(self._payments(owner) for owner in self.terms.owners(of.payments))
        own = self._accounts(self.recipient, plain if shown == _SHOWN else None)
        return Propagate(own, others, payments, shown, flow)

    def opened(self, node: Propagate) -> Iterator[OpenedColumn]:
        """Yield what the recipient learns of each of its accounts."""
        rounds, where = self.asked.rounds, f"{self.of.accounts}.{self.of.account}"
        if self._domain().kind is Kind.TEXT:
            yield OpenedColumn(node.shown, "bytes", "VARCHAR", where)
        else:
            yield OpenedColumn(node.shown, "number", "BIGINT", where)
        if self.asked.kind == "propagate":
            after = "1 round" if rounds == 1 else f"{rounds} rounds"
            meaning = f"score after {after} along {self.of.payments}, times 2^{SCORE_BITS}"
            yield OpenedColumn(_SCORE, "number", "BIGINT", meaning)

    def _accounts(self, member: str, shown: Encoding | None = None) -> Leaf:
        """Return a member's accounts, each once.

        Args:
            shown: of a second column of names, which can be opened.
        """
        of, table = self.of, self.terms.tables[self.of.accounts]
        start = function("max", _column(of.score))
        inner = _named(_column(of.account), _ACCOUNT).select(exp.alias_(start, _SCORE, quoted=True))
        inner = inner.from_(_table(of.accounts)).group_by(constant(1))
        encodings = {_ACCOUNT: self._encoding(), **({} if shown is None else {_SHOWN: shown})}
        rows = exp.Select().from_(inner.subquery("g"))
        for name, encoding in encodings.items():
            rows = rows.select(*self._words(name, _ACCOUNT, encoding))
        rows = self._with_entering(member, rows.select(self._start()))
        kept = [_column(one.alias_or_name) for one in rows.expressions[:-1]]
        outer = exp.Select().select(*kept, self._place_of_account()).from_(rows.subquery("h"))
        bits = tuple(_bits(name, encoding) for name, encoding in encodings.items())
        sums: tuple[SumColumn, ...] = (SumColumn(_SCORE, 1 << SCORE_BITS),)
        if self.asked.kind == "reach":
            bits, sums = (*bits, BitsColumn(_MARKED, 1)), ()
        sums = (*sums, self._places())
        sql = sql_of(outer)
        return Leaf(member, sql, bits, sums, table.max_rows, (_ACCOUNT,), (of.accounts,))

    def _with_entering(self, member: str, rows: exp.Select) -> exp.Select:
        """Add a last column: how many payments enter an account."""
        if member not in self.terms.owners(self.of.payments):
            return rows.select(exp.alias_(constant(0), _ENTERING, quoted=True))
        counts = exp.Select().select(_column(_TARGET), exp.alias_(exp.Count(this=exp.Star()), "n"))
        counts = counts.from_(self._paid().subquery("p")).group_by(constant(1))
        on = exp.EQ(this=_column(_TARGET), expression=_column(_ACCOUNT))
        rows = rows.join(counts.subquery("c"), on=on, join_type="left")
        found = function("coalesce", _column("n"), constant(0))
        return rows.select(exp.alias_(found, _ENTERING, quoted=True))

    def _place_of_account(self) -> exp.Expr:
        """Write how many accounts and payments come before an account, all in the order of bits."""
        names = [one.alias for one in self._words(_ACCOUNT, _ACCOUNT, self._encoding())]
        order = [exp.Ordered(this=_column(name)) for name in names]
        here = exp.Window(this=exp.RowNumber(), order=exp.Order(expressions=order))
        total = function("sum", _column(_ENTERING))
        paid = exp.Window(this=total, order=exp.Order(expressions=[one.copy() for one in order]))
        before = exp.Sub(this=paid, expression=_column(_ENTERING))
        place = exp.Sub(this=exp.Add(this=here, expression=before), expression=constant(1))
        return exp.alias_(cast(exp.paren(place), "BIGINT"), _PLACE)

    def _places(self) -> SumColumn:
        both = (self.of.accounts, self.of.payments)
        return SumColumn(_PLACE, sum(self.terms.tables[name].max_rows for name in both))

    def _start(self) -> exp.Expr:
        """Write what an account holds before anything flowed."""
        if self.asked.kind == "reach":
            marked = exp.paren(exp.GT(this=_column(_SCORE), expression=constant(0)))
            return exp.alias_(cast(marked, "UBIGINT"), f"{_MARKED}_0")
        return exp.alias_(_scaled(_SCORE, SCORE_BITS), _SCORE)

    def _payments(self, member: str) -> Leaf:
        """Return what was paid to a member's accounts, once for each two accounts."""
        of, table, encoding = self.of, self.terms.tables[self.of.payments], self._encoding()
        order = [exp.Ordered(this=word) for word in self._encoded(_ACCOUNT, encoding)]
        rank = exp.Window(this=exp.RowNumber(), order=exp.Order(expressions=order))
        kept = _named(_column(of.account), _ACCOUNT).from_(_table(of.accounts)).distinct()
        ranked = exp.Select().select(_column(_ACCOUNT), exp.alias_(rank, _RANK))
        ranked = ranked.from_(kept.subquery("d"))
        outer = exp.Select().from_(self._paid().subquery("g"))
        on = exp.EQ(this=_column(_TARGET), expression=_column(_ACCOUNT))
        outer = outer.join(ranked.subquery("k"), on=on)
        outer = outer.select(*self._words(_SOURCE, _SOURCE, encoding))
        outer = outer.select(exp.alias_(_scaled(_WEIGHT, WEIGHT_BITS), _WEIGHT))
        outer = outer.select(self._place_of_payment())
        sums = (SumColumn(_WEIGHT, 1 << WEIGHT_BITS), self._places())
        bits, tables = (_bits(_SOURCE, encoding),), (of.payments, of.accounts)
        return Leaf(member, sql_of(outer), bits, sums, table.max_rows, (_SOURCE,), tables)

    def _paid(self) -> exp.Select:
        """Write what was paid to own accounts, once for each two accounts."""
        of = self.of
        inner = _named(_column(of.source), _SOURCE)
        inner = inner.select(exp.alias_(_column(of.target), _TARGET, quoted=True))
        inner = inner.select(exp.alias_(self._part(), _WEIGHT, quoted=True))
        inner = inner.from_(_table(of.payments))
        kept = exp.select(_column(of.account)).from_(_table(of.accounts))
        inner = inner.where(exp.GT(this=_column(of.amount), expression=constant(0)))
        inner = inner.where(exp.In(this=_column(of.target), query=kept.subquery()))
        return inner.group_by(constant(1), constant(2))

    def _part(self) -> exp.Expr:
        """Write a payment's part of all that its target was paid; to reach, any part is whole."""
        if self.asked.kind == "reach":
            return constant(1)
        paid = function("sum", _column(self.of.amount))
        everything = exp.Window(this=function("sum", paid), partition_by=[_column(self.of.target)])
        return exp.Div(this=cast(paid.copy(), "DOUBLE"), expression=everything)

    def _place_of_payment(self) -> exp.Expr:
        """Write how many accounts and payments come before a payment, by the accounts' ranks."""
        order = exp.Order(expressions=[exp.Ordered(this=_column(_RANK))])
        number = exp.Window(this=exp.RowNumber(), order=order)
        both = exp.Add(this=number, expression=_column(_RANK))
        place = exp.Sub(this=both, expression=constant(1))
        return exp.alias_(cast(exp.paren(place), "BIGINT"), _PLACE)

    def _words(self, name: str, of: str, encoding: Encoding) -> list[exp.Expr]:
        found = self._encoded(of, encoding)
        return [exp.alias_(word, f"{name}_{place}") for place, word in enumerate(found)]

    def _encoded(self, of: str, encoding: Encoding) -> list[exp.Expr]:
        return words(_column(of), self._domain(), encoding, nullable=False)

    def _encoding(self, *, opened: bool = False) -> Encoding:
        """Return how accounts travel, the same in all three columns that name one."""
        return choose(self._domain(), opened=opened)

    def _domain(self) -> Domain:
        accounts, payments = (self.terms.tables[t] for t in (self.of.accounts, self.of.payments))
        columns = [accounts.columns[self.of.account]]
        columns += [payments.columns[name] for name in (self.of.source, self.of.target)]
        return union(map(Domain.of_column, columns))


def _bits(name: str, encoding: Encoding) -> BitsColumn:
    return BitsColumn(name, encoding.bits, False, encoding.low)


def _named(value: exp.Expr, name: str) -> exp.Select:
    return exp.Select().select(exp.alias_(value, name, quoted=True))


def _column(name: str) -> exp.Column:
    return exp.column(name, quoted=True)


def _table(name: str) -> exp.Table:
    return exp.table_(name, quoted=True)


def _scaled(name: str, bits: int) -> exp.Expr:
    """Write a number as an integer at a scale."""
    scaled = exp.Mul(this=cast(_column(name), "DOUBLE"), expression=_power(bits))
    return cast(function("round", scaled), "BIGINT")


def _power(bits: int) -> exp.Expr:
    return cast(constant(1 << bits), "DOUBLE")


def _final_sql(node: Propagate) -> str:
    """Name the account, and bring its score to its own unit."""
    select = exp.Select().select(exp.alias_(_column(node.shown), _ACCOUNT, quoted=True))
    if node.flow.kind == "propagate":
        value = exp.Div(this=cast(_column(_SCORE), "DOUBLE"), expression=_power(SCORE_BITS))
        select = select.select(exp.alias_(value, _SCORE, quoted=True))
    return sql_of(select.from_("opened").order_by(constant(1)))
