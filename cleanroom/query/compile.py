"""SQL text to a plan: the same text and contract give the same bytes in every process."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from sqlglot import exp

from cleanroom.contract.terms import Terms
from cleanroom.errors import UnsupportedQuery
from cleanroom.plan.plan import Plan, Protocol
from cleanroom.plan.question import Question
from cleanroom.query.cells import lower_to_cells
from cleanroom.query.controls import Controls
from cleanroom.query.fitting import lower_fitting
from cleanroom.query.gates import gate_of, of_single_persons, opened_first, restricted
from cleanroom.query.inner_rows import lower_rows
from cleanroom.query.inner_summands import are_tested, check_branches, check_inner, check_rows
from cleanroom.query.left_out import check_left_out, terms_without
from cleanroom.query.lower import lower, lower_view
from cleanroom.query.noise import checked_epsilon
from cleanroom.query.noisy import lower_noisily
from cleanroom.query.placing import place
from cleanroom.query.private import lower_privately, private_uses
from cleanroom.query.propagation import compile_propagation
from cleanroom.query.restricting import facts_of
from cleanroom.query.rowsets import row_sets
from cleanroom.query.sources import AS_PROVEN, Agreed
from cleanroom.query.unions import lower_union
from cleanroom.query.uses import gate_uses, shown_uses, trained_uses, uses
from cleanroom.sql.bind import bind
from cleanroom.sql.fitting import Fitting, fitting_of
from cleanroom.sql.inner_rows import bind_rows
from cleanroom.sql.parse import parse
from cleanroom.sql.private import taken_out
from cleanroom.sql.propagation import propagation_of
from cleanroom.sql.scope import Nest
from cleanroom.sql.templates import check_use
from cleanroom.sql.unions import branches
from cleanroom.sql.view import LocalView, View
from cleanroom.sql.windows import has_windows

_ON_SHARES = "Ask with protocol 'mpc', and leave nobody out."
_SHOWN = "Name the values in the query: it is noisy, but owners read it."
_PRIVATE = "Ask with protocol 'he', or with none: they are asked on ciphertexts alone."


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
    protocol, left_out = question.protocol, tuple(sorted(set(question.without)))
    if protocol == "he" and question.min_group > 1:
        what = f"groups of at least {question.min_group} persons on ciphertexts"
        raise UnsupportedQuery(what, remedy="Ask with protocol 'mpc'.")
    terms = with_min_group(terms, question.min_group)
    try:
        check_use(question, terms)
        select = parse(question.sql)
        if (special := _special(select, question, terms, contract_hash)) is not None:
            return special
        taken = taken_out(select)
        query = bind(taken.select, terms, nest_of(terms))
        if left_out:
            check_left_out(query, left_out, protocol)
            terms = terms_without(terms, left_out)
            query = bind(taken.select, terms, nest_of(terms))
        placement = place(query)
        needed = set(uses(query, placement))
        ciphertexts, noise, epsilon = None, None, _epsilon(question, terms)
        if epsilon is not None:
            if taken.marks:
                raise UnsupportedQuery("private parameters under release = 'dp'", remedy=_SHOWN)
            noisy = lower_noisily(query, placement, terms, question.recipient, epsilon, protocol)
            lowered, ciphertexts, noise = noisy.lowered, noisy.ciphertexts, noisy.noise
        elif taken.marks:
            keys = bind(taken.by_columns(), terms, nest_of(terms)).keys
            lowered, ciphertexts = lower_privately(query, placement, taken, keys, terms)
            needed |= set(private_uses(query, taken, keys))
            if protocol != "he":
                raise UnsupportedQuery("private parameters with protocol 'mpc'", remedy=_PRIVATE)
        elif protocol == "he":
            cells = lower_to_cells(query, placement)
            lowered, ciphertexts = cells.lowered, cells.ciphertexts
            needed |= set(shown_uses(query, placement, cells.shown))
        else:
            controls = Controls.of(terms, question.recipient)
            lowered = lower(query, placement, terms.privacy.min_group, controls)
        chosen = facts_of(query, placement)
    except RecursionError:
        raise UnsupportedQuery("the query is nested too deeply") from None
    return Plan(
        contract_hash=contract_hash,
        recipient=question.recipient,
        sql=question.sql,
        uses=tuple(sorted(needed)),
        restrictions=chosen.restrictions,
        linked=chosen.linked,
        row_sets=row_sets(query, chosen, left_out),
        root=replace(lowered.root, hidden=terms.privacy.group_count == "hidden" and not noise),
        opened=lowered.opened,
        final_sql=lowered.final_sql,
        ciphertexts=ciphertexts,
        noise=noise,
        without=left_out,
        purpose=question.purpose,
        template=question.template,
    )


def _special(
    select: exp.Select, question: Question, terms: Terms, contract_hash: str
) -> Plan | None:
    """Compile what is a SELECT by its form alone; None if it is a query."""
    if (flow := propagation_of(select)) is not None:
        return compile_propagation(flow, question, terms, contract_hash)
    if (fitting := fitting_of(select)) is not None:
        return _fitting(fitting, question, terms, contract_hash)
    return None


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


def nest_of(terms: Terms, agreed: Agreed = AS_PROVEN) -> Nest:
    """Return what compiles a subquery that isn't merged away, however deep it stands."""
    tested = are_tested(terms)

    def nest(
        select: exp.Select | exp.SetOperation, ctes: Mapping[str, exp.CTE]
    ) -> View | LocalView:
        if isinstance(select, exp.SetOperation):
            parts = [bind_rows(branch, terms, nest, ctes).query for branch in branches(select)]
            if tested:
                check_branches(parts)
            return lower_union([(p, place(p, agreed)) for p in parts], terms.privacy.min_group)
        if has_windows(select):
            rows = bind_rows(select, terms, nest, ctes)
            if tested:
                check_rows(rows)
            return lower_rows(rows, place(rows.query, agreed), terms.privacy.min_group)
        query = bind(select, terms, nest, ctes)
        if tested:
            check_inner(query)
        return lower_view(query, place(query, agreed), terms.privacy.min_group)

    return nest
