"""`cleanroom query`, `explain`, `tables`, `status`: what a recipient does in a room."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cleanroom.cli.answers import Delivery, with_progress
from cleanroom.cli.cards import is_name, read
from cleanroom.cli.mock import Mock, room_of
from cleanroom.cli.options import (
    By,
    Config,
    Deadline,
    Epsilon,
    Form,
    FormOrSuffix,
    Fresh,
    MaybeConfig,
    MinGroup,
    Offline,
    Output,
    Purpose,
    ReceiptFile,
    Sql,
    Without,
    named,
    text_of,
)
from cleanroom.cli.private import private_values, private_weights
from cleanroom.cli.rows import Format, write
from cleanroom.cli.templates import Settings, Template, asking, explaining
from cleanroom.cli.waiting import Wait, until_approved
from cleanroom.cli.words import printable

if TYPE_CHECKING:
    from cleanroom.recipient.room import Room

SqlOrCard = Annotated[
    str, typer.Argument(help="A SELECT, '-' for standard input, or the name of a protocol.")
]

Private = Annotated[
    list[str] | None,
    typer.Option(
        "--private",
        metavar="NAME[=FILE]",
        help="What :NAME of the query stands for: a file of one value a line, or asked for.",
    ),
]

Weights = Annotated[
    list[str] | None,
    typer.Option(
        "--weights",
        metavar="NAME=FILE",
        help="Weights of :NAME in WEIGHTED_SUM: a file of a weight, a space and a value a line.",
    ),
]


def query(
    config: Config,
    sql: Sql = "",
    template: Template = None,
    settings: Settings = None,
    protocol: By = None,
    private: Private = None,
    weights: Weights = None,
    without: Without = None,
    purpose: Purpose = "",
    epsilon: Epsilon = None,
    min_group: MinGroup = 1,
    fresh: Fresh = False,
    mock: Mock = False,
    form: FormOrSuffix = None,
    output: Output = None,
    receipt: ReceiptFile = None,
    deadline_s: Deadline = 600,
    wait: Wait = 0,
) -> None:
    """Run a query, or a template of the contract, and write the released result."""
    delivery = Delivery.of(form, output, receipt)
    values = {**private_values(private or ()), **private_weights(weights or ())}
    with room_of(config, mock=mock) as room:
        question = {
            "protocol": named(protocol),
            "without": without or (),
            "purpose": purpose,
            "epsilon": epsilon,
            "min_group": min_group,
        }
        asked = room, text_of(sql), template, settings or ()
        ask = partial(asking(*asked), **question, private=values, fresh=fresh)
        result = until_approved(
            lambda: with_progress(lambda told: ask(deadline_s=deadline_s, on_progress=told)),
            partial(explaining(*asked), **question),
            wait,
        )
    delivery.deliver(result.to_arrow(), result)


def explain(
    sql: SqlOrCard = "",
    config: MaybeConfig = None,
    template: Template = None,
    settings: Settings = None,
    protocol: By = None,
    without: Without = None,
    purpose: Purpose = "",
    min_group: MinGroup = 1,
    offline: Offline = False,
    epsilon: Epsilon = None,
) -> None:
    """Say what a query would open to whom, what it costs and how members rule; nothing runs.

    Of the name of a protocol ('cleanroom cards' lists them) say what it assumes and leaks.
    """
    if is_name(sql):
        read(sql)
        return
    if config is None:
        raise typer.BadParameter("a query needs --config FILE, or CLEANROOM_CONFIG")
    with _room(config) as room:
        explained = explaining(room, text_of(sql), template, settings or ())
        told = explained(
            protocol=named(protocol),
            without=without or (),
            purpose=purpose,
            epsilon=epsilon,
            min_group=min_group,
            offline=offline,
        )
    typer.echo(printable(told.text))


def tables(
    config: Config,
    form: Form = Format.TABLE,
) -> None:
    """List the contract's tables and columns, and what this recipient may do with each."""
    import pyarrow as pa

    if form is Format.PARQUET:
        raise typer.BadParameter("the list is small: table, csv or json")
    with _room(config) as room:
        write(pa.Table.from_pandas(room.tables(), preserve_index=False), form, None)


def status(config: Config) -> None:
    """Say which members' processes attend the room."""
    with _room(config) as room:
        members = room.contract.terms.members
        for member, attends in room.status().items():
            absent = "absent" if members[member].attends else "asks, runs no process"
            typer.echo(f"{member}: {'attends' if attends else absent}")


def _room(config: Path) -> "Room":
    from cleanroom.recipient.room import connect

    return connect(config)
