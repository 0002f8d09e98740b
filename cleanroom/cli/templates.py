"""`cleanroom templates`, and how a command names one of them in place of SQL."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cleanroom.cli.options import Config, Form, text_of
from cleanroom.cli.rows import Format, write

if TYPE_CHECKING:
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


def _text(sql: str, options: Sequence[str]) -> str:
    if not sql or options:
        raise typer.BadParameter("either a SELECT, or --template NAME with --set for each value")
    return text_of(sql)


def _named(sql: str, template: str, options: Sequence[str]) -> tuple[str, dict[str, Any]]:
    if sql:
        raise typer.BadParameter("either a SELECT, or --template NAME with --set for each value")
    values = dict(option.partition("=")[::2] for option in options)
    if len(values) < len(options) or any("=" not in option for option in options):
        raise typer.BadParameter("--set takes each NAME once, as NAME=VALUE")
    return template, values
