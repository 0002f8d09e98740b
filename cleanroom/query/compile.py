"""SQL text to a plan: the same text and contract give the same bytes in every process."""

from collections.abc import Collection
from dataclasses import replace

from sqlglot import exp

from cleanroom.contract.terms import Terms
from cleanroom.errors import UnsupportedQuery
from cleanroom.plan.plan import Plan, Protocol
from cleanroom.plan.question import Question
from cleanroom.query.each_way import Asked
from cleanroom.query.fitting import lower_fitting
from cleanroom.query.gates import gate_of, of_single_persons, opened_first, restricted
from cleanroom.query.lower import lower
from cleanroom.query.nesting import nest_of
from cleanroom.query.placing import place
from cleanroom.query.propagation import compile_propagation
from cleanroom.query.restricting import facts_of
from cleanroom.query.rowsets import row_sets
from cleanroom.query.sources import Agreed
from cleanroom.query.uses import gate_uses, trained_uses
from cleanroom.sql.bind import bind
from cleanroom.sql.fitting import Fitting, fitting_of
from cleanroom.sql.parse import parse
from cleanroom.sql.private import taken_out
from cleanroom.sql.propagation import propagation_of
from cleanroom.sql.templates import check_use

_ON_SHARES = "Ask with protocol 'mpc', and leave nobody out."


def compile_query(
    sql: str,
    terms: Terms,
    contract_hash: str,
    recipient: str,
    protocol: Protocol = "mpc",
    without: Collection[str] = (),
    purpose: str = "",
    epsilon: float | None = None,
    min_group: int = 1,
) -> Plan:
    """Compile a query; see `Question` and `compile_question`."""
    left_out = tuple(sorted(set(without)))
    asked = protocol, left_out, purpose, epsilon, min_group
    question = Question(sql, recipient, *asked)
    return compile_question(question, terms, contract_hash)


def compile_question(question: Question, terms: Terms, contract_hash: str) -> Plan:
    """Compile a query.

    Args:
        contract_hash: the signed contract's hash; it binds the plan to this contract.

    Raises:
        UnsupportedQuery: naming the construct that can't be computed.
        TemplateRefused: if it names a template that it isn't, or a value that it doesn't allow.
        UnknownName: naming the nearest table or column, or who can't be left out.
        OverflowPossible: if the declared bounds don't prove that no total wraps.
    """
    compiled = _gated if question.gate else _queried
    return compiled(question, terms, contract_hash)


def _queried(question: Question, terms: Terms, contract_hash: str) -> Plan:
    """Compile a query of the recipient's own."""
    if question.protocol == "he" and question.min_group > 1:
        what = f"groups of at least {question.min_group} persons on ciphertexts"
        raise UnsupportedQuery(what, remedy="Ask with protocol 'mpc'.")
    terms = with_min_group(terms, question.min_group)
    try:
        check_use(question, terms)
        select = parse(question.sql)
        if (special := _special(select, question, terms, contract_hash)) is not None:
            return special
        return Asked.of(question, terms, taken_out(select)).plan(contract_hash)
    except RecursionError:
        raise UnsupportedQuery("the query is nested too deeply") from None


def _special(
    select: exp.Select, question: Question, terms: Terms, contract_hash: str
) -> Plan | None:
    """Compile what is a SELECT by its form alone; None if it is a query."""
    if (flow := propagation_of(select)) is not None:
        return compile_propagation(flow, question, terms, contract_hash)
    if (fitting := fitting_of(select)) is not None:
        return _fitting(fitting, question, terms, contract_hash)
    return None


def with_min_group(terms: Terms, least: int) -> Terms:
    """Return terms whose groups are no smaller than asked for, nor than agreed."""
    if least <= terms.privacy.min_group:
        return terms
    privacy = terms.privacy.model_copy(update={"min_group": least})
    return terms.model_copy(update={"privacy": privacy})


def _fitting(fitting: Fitting, question: Question, terms: Terms, contract_hash: str) -> Plan:
    """Compile the training of a model."""
    if question.protocol != "mpc" or question.without:
        raise UnsupportedQuery("a training on joined rows on ciphertexts", remedy=_ON_SHARES)
    query = bind(fitting.rows, terms, nest_of(terms))
    placement = place(query)
    chosen = facts_of(query, placement)
    lowered = lower_fitting(query, placement, fitting, terms.privacy.min_group)
    return Plan(
        contract_hash=contract_hash,
        recipient=question.recipient,
        sql=question.sql,
        uses=trained_uses(query, placement),
        restrictions=chosen.restrictions,
        linked=chosen.linked,
        row_sets=row_sets(query, chosen),
        root=replace(lowered.root, hidden=terms.privacy.group_count == "hidden"),
        opened=lowered.opened,
        final_sql=lowered.final_sql,
        purpose=question.purpose,
        template=question.template,
    )


def _gated(question: Question, terms: Terms, contract_hash: str) -> Plan:
    """Compile a gate from the contract's text, whatever text is asked with it."""
    gate, asked = gate_of(question, terms)
    alone = of_single_persons(terms)
    try:
        select = parse(gate.sql)
        if fitting_of(select) is not None or taken_out(select).marks:
            raise UnsupportedQuery("a gate with parameters, or that trains a model")
        agreed = Agreed(gate.max_chosen, gate.max_joined)
        query = bind(select, alone, nest_of(alone, agreed))
        query = restricted(query, gate, question.recipient if asked.own else "")
        lowered = lower(query, place(query, agreed), alone.privacy.min_group)
    except RecursionError:
        raise UnsupportedQuery("the query is nested too deeply") from None
    return Plan(
        contract_hash=contract_hash,
        recipient=question.recipient,
        sql=question.sql,
        uses=gate_uses(query),
        root=opened_first(lowered.root),
        opened=lowered.opened,
        final_sql=lowered.final_sql,
        purpose=question.purpose,
        gate=asked,
    )
