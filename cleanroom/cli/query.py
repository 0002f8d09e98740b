"""`cleanroom query`, `explain`, `tables`, `status`: what a recipient does in a room."""

import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from cleanroom.cli.private import private_values
from cleanroom.cli.rows import Format, check_writable, format_of, write, write_text

if TYPE_CHECKING:
    from cleanroom.plan.plan import Protocol
    from cleanroom.recipient.asking import Progress
    from cleanroom.recipient.result import Result
    from cleanroom.recipient.room import Room

T = TypeVar("T")
Config = Annotated[
    Path, typer.Option("--config", envvar="CLEANROOM_CONFIG", help="The recipient's TOML file.")
]
Sql = Annotated[str, typer.Argument(help="A SELECT, or '-' to read it from standard input.")]


Form = Annotated[Format, typer.Option("--format", help="How to write the rows.")]
FormOrSuffix = Annotated[
    Format | None, typer.Option("--format", help="How to write the rows; by default as --output.")
]


class Way(StrEnum):
    """What a query runs on."""

    MPC = "mpc"
    HE = "he"


By = Annotated[
    Way | None,
    typer.Option("--protocol", help="On secret shares (mpc) or ciphertexts (he); or the cheaper."),
]


Without = Annotated[
    list[str] | None,
    typer.Option("--without", help="A member whose rows are left out, on ciphertexts; repeatable."),
]


Private = Annotated[
    list[str] | None,
    typer.Option(
        "--private",
        metavar="NAME[=FILE]",
        help="What :NAME of the query stands for: a file of one value a line, or asked for.",
    ),
]


def query(
    sql: Sql,
    config: Config,
    protocol: By = None,
    private: Private = None,
    without: Without = None,
    form: FormOrSuffix = None,
    output: Annotated[Path | None, typer.Option(help="File to write, not the screen.")] = None,
    receipt: Annotated[Path | None, typer.Option(help="Where to keep the signed receipt.")] = None,
    deadline_s: Annotated[int, typer.Option(min=1, max=86400, help="Seconds to wait.")] = 600,
) -> None:
    """Run a query in the room and write the released result."""
    form = form or format_of(output)
    if form is Format.PARQUET and output is None:
        raise typer.BadParameter("Parquet needs --output FILE")
    check_writable(output, receipt)
    values = private_values(private or ())
    with _room(config) as room:
        text, by, left_out = text_of(sql), _named(protocol), without or ()
        result = with_progress(
            lambda told: room.sql(
                text,
                private=values,
                protocol=by,
                without=left_out,
                deadline_s=deadline_s,
                on_progress=told,
            )
        )
    write(result.to_arrow(), form, output)
    if receipt is not None:
        write_text(receipt, result.receipt.to_json())
    if form is Format.TABLE and output is None:
        typer.echo(summary(result))
    elif result.suppressed:
        typer.echo(f"{result.suppressed} groups withheld: too few persons", err=True)


def explain(sql: Sql, config: Config, protocol: By = None, without: Without = None) -> None:
    """Say what a query would open to whom, what else leaks and what it costs; nothing runs."""
    with _room(config) as room:
        sheet = room.explain(text_of(sql), protocol=_named(protocol), without=without or ())
        typer.echo(sheet.text)


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


def summary(result: "Result") -> str:
    """Say in a line what a query cost and withheld."""
    stats = result.stats
    withheld = ""
    if result.suppressed:
        withheld = f"; {result.suppressed} groups withheld: too few persons"
    if result.without:
        withheld += f"; without {', '.join(result.without)}"
    return (
        f"{stats.rows} rows in {stats.seconds:.2f} s, {stats.rounds} rounds, "
        f"{stats.bytes_sent / 1e6:.1f} MB sent by all members{withheld}"
    )


def _room(config: Path) -> "Room":
    from cleanroom.recipient.room import connect

    return connect(config)


def text_of(sql: str) -> str:
    """Return a query's text, from standard input if it is '-'."""
    return sys.stdin.read() if sql == "-" else sql


def _named(protocol: Way | None) -> "Protocol | None":
    match protocol:
        case None:
            return None
        case Way.MPC:
            return "mpc"
        case Way.HE:
            return "he"


def with_progress(ask: "Callable[[Progress], T]") -> T:
    """Ask while a line says how far the members are."""
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("asking") as line:
        try:
            return ask(lambda stage, member: line.update(f"{member}: {stage}"))
        except KeyboardInterrupt:
            console.print("The session was cancelled at every member.")
            raise
