"""The sheet: before anything runs, everybody can read who will learn what.

Rule: derived from the plan and the contract alone, so all parties show the same text. What a
party learns beyond the opened values is listed, or it may not happen.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp, parse_one

from cleanroom.contract.terms import Terms
from cleanroom.errors import CleanroomError
from cleanroom.plan import sheet_of_gate as of_gate
from cleanroom.plan import sheet_of_propagation as of_propagation
from cleanroom.plan import sheet_on_ciphertexts as on_ciphertexts
from cleanroom.plan import sheet_on_conditions as on_conditions
from cleanroom.plan import sheet_on_noise as on_noise
from cleanroom.plan import sheet_on_shares as on_shares
from cleanroom.plan import used
from cleanroom.plan.cost import Cost, cost_of
from cleanroom.plan.leaf import Leaf
from cleanroom.plan.plan import Plan
from cleanroom.plan.rules import rules_of

PROTOCOLS = "Protocols ('cleanroom explain NAME': what each assumes and doesn't cover)"


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a query does.

    Attributes:
        opened: every value that is opened, and to whom.
        leaks: what else somebody learns, and who.
    """

    text: str
    plan_hash: str
    opened: tuple[str, ...]
    leaks: tuple[str, ...]
    cost: Cost

    @classmethod
    def of(cls, plan: Plan, terms: Terms, other: Plan | CleanroomError | None = None) -> "Sheet":
        """Write the sheet of a plan.

        Args:
            other: the same query's plan for the other protocol, or why there is none.
        """
        opened, cost = tuple(_opened(plan)), cost_of(plan)
        encrypted = plan.ciphertexts is not None
        leaks = tuple(
            on_ciphertexts.leaks(plan, terms) if encrypted else on_shares.leaks(plan, terms)
        )
        where = "ciphertexts" if encrypted else "secret shares"
        secret = on_ciphertexts.steps(plan) if encrypted else on_shares.steps(plan)
        blocks = (
            ("Query", [plan.sql]),
            ("Room", list(_room(plan, terms))),
            ("Opened", list(opened)),
            ("Also learned", list(leaks)),
            ("Column rights that this needs", list(_rights(plan))),
            (on_conditions.TITLE, list(on_conditions.conditions(plan, terms))),
            ("Runs at its owner, on plain rows", list(_local(plan))),
            (f"Runs on {where}", list(secret)),
            ("Runs at the recipient, on what was opened", [_final(plan)]),
            (PROTOCOLS, used.lines(plan, terms)),
            ("Estimate at the largest sizes", list(_estimates(plan, other))),
            ("Plan", [plan.hash]),
        )
        text = "\n\n".join(block(title, lines) for title, lines in blocks)
        return cls(text, plan.hash, opened, leaks, cost)

    def __str__(self) -> str:
        return self.text


def block(title: str, lines: list[str]) -> str:
    """Return one part of a sheet."""
    shown = [f"  {line}" for entry in lines for line in entry.splitlines()]
    return "\n".join([title, *(shown or ["  nothing"])])


def _room(plan: Plan, terms: Terms) -> Iterator[str]:
    room = terms.room
    yield f"{room.name}, version {room.version}: {room.in_words(plan.purpose)}"
    if plan.ciphertexts is not None:
        yield from on_ciphertexts.room(plan, terms)
    else:
        yield f"recipient {plan.recipient}; computing {', '.join(terms.computing) or 'nobody'}"
    if plan.noise is not None:
        yield from on_noise.room(plan, plan.noise)
    elif plan.gate is not None:
        yield from of_gate.room(plan, plan.gate, terms)
    elif plan.propagation is not None:
        yield from of_propagation.room(plan, plan.propagation, terms)
    elif plan.ciphertexts is None:
        yield f"release {terms.privacy.release}, at least {plan.root.min_group} persons a group"
        yield from rules_of(terms.privacy)
    if plan.template is not None:
        yield f"template {plan.template}"
    yield f"contract {plan.contract_hash}"


def _local(plan: Plan) -> Iterator[str]:
    for number, leaf in enumerate(plan.leaves):
        yield f"[{number}] {leaf.member}, up to {leaf.max_rows} rows, encoded as integers of"
        yield f"    {_before_encoding(leaf)}"


def _before_encoding(leaf: Leaf) -> str:
    """Return the part of a leaf's SQL that says what is computed, not how it is encoded."""
    found = list(parse_one(leaf.sql, dialect="duckdb").find_all(exp.Subquery))
    inner = next((one for one in found if one.alias == "g"), found[0] if found else None)
    return leaf.sql if inner is None else unquoted(inner.this)


def _final(plan: Plan) -> str:
    return unquoted(parse_one(plan.final_sql, dialect="duckdb"))


def unquoted(query: exp.Expr) -> str:
    """Return SQL that is easier to read."""
    for name in query.find_all(exp.Identifier):
        name.set("quoted", False)
    return query.sql(dialect="duckdb")


def _opened(plan: Plan) -> Iterator[str]:
    each = "for each different row" if on_shares.is_rows(plan) else "for each released group"
    if plan.root.input.fit is not None:
        each = "of the whole training"
    if plan.propagation is not None:
        each = "for each of its own accounts"
    if plan.noise is not None:
        each = f"for each of {plan.noise.cells} cells"
    elif plan.ciphertexts is not None:
        each = f"for each of {plan.ciphertexts.cells} cells"
        if plan.ciphertexts.private is not None:
            names = ", ".join(f":{p.name}" for p in plan.ciphertexts.private.parameters)
            each = f"{each}, over the rows that {names} chooses"
    for column in plan.opened:
        off = on_noise.shown(plan, column)
        yield f"{column.name} = {column.meaning}, {each}, to {plan.recipient}{off}"


def _rights(plan: Plan) -> Iterator[str]:
    for use in plan.uses:
        yield f"{use.table}.{use.column}: {use.right}"


def _estimates(plan: Plan, other: Plan | CleanroomError | None) -> Iterator[str]:
    yield _estimate(plan)
    if isinstance(other, Plan):
        yield f"instead {_estimate(other)}"
    elif other is not None:
        how = "shares" if plan.protocol == "he" else "ciphertexts"
        yield f"not on {how}: {other.message}"


def _estimate(plan: Plan) -> str:
    cost = cost_of(plan)
    megabytes = cost.bytes_per_party / 1e6
    if plan.ciphertexts is not None:
        numbers = f"{plan.ciphertexts.numbers} numbers of each owner"
        return f"on ciphertexts (he): {numbers}, {megabytes:.1f} MB, {cost.seconds:.1f} s"
    return (
        f"on shares (mpc): {cost.rows} padded rows, {megabytes:.1f} MB sent by each computing "
        f"party, {cost.rounds} rounds, {cost.seconds:.1f} s"
    )
