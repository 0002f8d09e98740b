"""`cleanroom gates`, `cleanroom gate`: rows that open where a secret condition holds."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from cleanroom.cli.answers import Delivery
from cleanroom.cli.mock import Mock
from cleanroom.cli.offered import run
from cleanroom.cli.options import (
    Config,
    Deadline,
    Explain,
    Form,
    FormOrSuffix,
    Offline,
    Output,
    Purpose,
    ReceiptFile,
)
from cleanroom.cli.rows import Format, write
from cleanroom.cli.words import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from cleanroom.contract.offers import GateTerms
    from cleanroom.contract.terms import Terms
    from cleanroom.plan.plan import Plan
    from cleanroom.policy.model import Violation
    from cleanroom.recipient.asking import Progress
    from cleanroom.recipient.explanation import Explanation
    from cleanroom.recipient.result import Result
    from cleanroom.recipient.room import Room

Name = Annotated[str, typer.Argument(help="A gate of the contract.")]


def gates(config: Config, form: Form = Format.TABLE) -> None:
    """List the contract's gates: who may ask each, and its text."""
    import pyarrow as pa

    from cleanroom.recipient.room import connect

    if form is Format.PARQUET:
        raise typer.BadParameter("the list is small: table, csv or json")
    with connect(config) as room:
        write(pa.Table.from_pandas(room.gates(), preserve_index=False), form, None)


def gate(
    name: Name,
    config: Config,
    explain: Explain = False,
    offline: Offline = False,
    mock: Mock = False,
    purpose: Purpose = "",
    form: FormOrSuffix = None,
    output: Output = None,
    receipt: ReceiptFile = None,
    deadline_s: Deadline = 600,
) -> None:
    """Ask a gate, and write the rows that open."""

    def sheet(room: "Room") -> "Explanation":
        return room.explain_gate(name, purpose=purpose, offline=offline)

    def ask(room: "Room", told: "Progress") -> "Result":
        return room.gate(name, purpose=purpose, deadline_s=deadline_s, on_progress=told)

    run(config, sheet if explain else None, ask, Delivery.of(form, output, receipt), mock=mock)


def page(terms: "Terms") -> "RenderableType":
    """Return a contract's gates for those who are to sign it, faults included."""
    from rich.table import Table
    from rich.text import Text

    from cleanroom.plan.sheet_of_gate import for_whom

    table = Table(title="Gates: rows that open where a secret condition holds")
    table.title_justify = "left"
    for heading in ("gate", "for", "opens at most", "text"):
        table.add_column(heading, overflow="fold")
    for name, of in terms.gates.items():
        text = "\n".join((of.sql, *faults(name, terms)))
        most = f"{of.max_rows} rows, {of.per_day} times a day to each{_fails(of)}"
        table.add_row(name, for_whom(of), most, Text(printable(text)))
    return table


def _fails(of: "GateTerms") -> str:
    """Say with how many rows it ends without an answer."""
    limits = [] if of.max_chosen is None else [f"{of.max_chosen} chosen rows of one member"]
    limits += [] if of.max_joined is None else [f"{of.max_joined} rows in a join"]
    return f"; fails above {' or '.join(limits)}" if limits else ""


def faults(name: str, terms: "Terms") -> Iterator[str]:
    """Yield why the gate can't run, or why one whom it is for would be refused for any purpose."""
    from cleanroom.errors import CleanroomError

    try:
        ruled, opens = _ruled(name, terms), opens_to(name, terms)
    except CleanroomError as error:
        yield f"CAN'T RUN: {error}"
        return
    for recipient, violations in dict(reversed(ruled)).items():  # once, not for every purpose
        if recipient not in opens:
            yield from (f"REFUSED to {recipient}: {one.message}" for one in violations)


def opens_to(name: str, terms: "Terms") -> frozenset[str]:
    """Return for whom the gate would open, for some purpose.

    Raises:
        CleanroomError: why it can't run at all.
    """
    return frozenset(to for to, violations in _ruled(name, terms) if not violations)


def _ruled(name: str, terms: "Terms") -> "list[tuple[str, tuple[Violation, ...]]]":
    """Return how the contract rules on the gate, for each of its recipients and purposes."""
    from cleanroom.policy.check import by_contract

    gate = terms.gates[name]
    plans = [plan for recipient in gate.to or ("",) for plan in _plans(name, recipient, terms)]
    owners = sorted({leaf.member for leaf in plans[0].leaves} - set(gate.to))
    own = [plan for owner in owners if gate.owners for plan in _plans(name, owner, terms)]
    asked = [*(plans if gate.to else ()), *own]
    return [(plan.recipient, by_contract(plan, terms, terms.room.expires)) for plan in asked]


def _plans(name: str, recipient: str, terms: "Terms") -> "Iterator[Plan]":
    """Yield the gate's plan for each of the room's purposes."""
    from cleanroom.plan.question import Question
    from cleanroom.query.compile import compile_question

    for purpose in terms.room.purposes or ("",):
        question = Question(terms.gates[name].sql, recipient, purpose=purpose, gate=name)
        yield compile_question(question, terms, "0" * 64)
