"""`cleanroom templates`, and how a command names one of them in place of SQL."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cleanroom.cli.options import Config, Form
from cleanroom.cli.rows import Format, write
from cleanroom.cli.words import listed, printable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from cleanroom.contract.terms import Terms
    from cleanroom.plan.plan import Plan, Protocol
    from cleanroom.recipient.explanation import Explanation
    from cleanroom.recipient.result import Result
    from cleanroom.recipient.room import Room

Template = Annotated[
    str | None,
    typer.Option("--template", metavar="NAME", help="One of 'cleanroom templates', not SQL."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A template's parameter; repeatable."),
]


def asking(
    room: "Room", sql: str, template: str | None, options: Sequence[str]
) -> "Callable[..., Result]":
    """Return what asks a query, or one of the contract's templates."""
    if template is None:
        return partial(room.sql, _text(sql, options))
    return partial(room.template, *_named(sql, template, options))


def explaining(
    room: "Room", sql: str, template: str | None, options: Sequence[str]
) -> "Callable[..., Explanation]":
    """Return what explains a query, or one of the contract's templates."""
    if template is None:
        return partial(room.explain, _text(sql, options))
    return partial(room.explain_template, *_named(sql, template, options))


def templates(config: Config, form: Form = Format.TABLE) -> None:
    """List the queries that the contract offers this recipient, approved by all who signed it."""
    import pyarrow as pa

    from cleanroom.recipient.room import connect

    if form is Format.PARQUET:
        raise typer.BadParameter("the list is small: table, csv or json")
    with connect(config) as room:
        write(pa.Table.from_pandas(room.templates(), preserve_index=False), form, None)


def page(terms: "Terms") -> "RenderableType":
    """Return a contract's templates for those who are to sign it, faults included."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title="Templates: queries that whoever signs approves, for any of these values")
    table.title_justify = "left"
    for heading in ("template", "may be asked by", "parameters", "query"):
        table.add_column(heading, overflow="fold")
    for name, template in terms.templates.items():
        values = "\n".join(f"{one} {of}" for one, of in template.parameters.items())
        text = "\n".join((template.sql.strip(), *faults(name, terms)))
        who = listed(template.recipients)
        table.add_row(name, who, Text(printable(values or "none")), Text(printable(text)))
    return table


def faults(name: str, terms: "Terms") -> Iterator[str]:
    """Yield why a template can't run, or why one whom it names would be refused for any purpose."""
    from cleanroom.errors import CleanroomError
    from cleanroom.policy.check import by_contract

    for recipient in terms.templates[name].recipients:
        refused = []
        for purpose in terms.room.purposes or ("",):
            try:
                plans = [_plan(name, terms, recipient, purpose, end) for end in (0, -1)]
            except CleanroomError as error:
                yield f"CAN'T RUN: {error}"
                return
            found = [by_contract(plan, terms, terms.room.expires) for plan in plans]
            refused.append(found[0] or found[1])
        if all(refused):
            yield from (f"REFUSED to {recipient}: {one.message}" for one in refused[0])


def _plan(name: str, terms: "Terms", recipient: str, purpose: str, end: int) -> "Plan":
    """Compile a template with the first (0) or last (-1) value of each parameter."""
    from cleanroom.plan.question import Question
    from cleanroom.query.compile import compile_question
    from cleanroom.query.ways import Ways
    from cleanroom.sql.templates import filled, use_of

    ends = {
        parameter: (of.values or of.bounds or (False, True))[end]
        for parameter, of in terms.templates[name].parameters.items()
    }
    use = use_of(name, ends, terms)
    asked = Question(filled(use, terms), recipient, purpose=purpose, template=use)


    def compiled(protocol: "Protocol") -> "Plan":
        return compile_question(replace(asked, protocol=protocol), terms, "0" * 64)

    return Ways(compiled, terms).plan(None)


def _text(sql: str, options: Sequence[str]) -> str:
    if not sql or options:
        raise typer.BadParameter("either a SELECT, or --template NAME with --set for each value")
    return sql


def _named(sql: str, template: str, options: Sequence[str]) -> tuple[str, dict[str, Any]]:
    if sql:
        raise typer.BadParameter("either a SELECT, or --template NAME with --set for each value")
    values = dict(option.partition("=")[::2] for option in options)
    if len(values) < len(options) or any("=" not in option for option in options):
        raise typer.BadParameter("--set takes each NAME once, as NAME=VALUE")
    return template, values
