"""`cleanroom query`, `explain`, `tables`, `status`: what a recipient does in a room."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pandas as pd

    from cleanroom.client import Result, Room

Config = Annotated[
    Path, typer.Option("--config", envvar="CLEANROOM_CONFIG", help="The recipient's TOML file.")
]
Sql = Annotated[str, typer.Argument(help="A SELECT, or '-' to read it from standard input.")]


class Format(StrEnum):
    """How a result is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


Form = Annotated[Format, typer.Option("--format", help="How to write the rows.")]


def query(
    sql: Sql,
    config: Config,
    form: Form = Format.TABLE,
    output: Annotated[Path | None, typer.Option(help="File to write, not the screen.")] = None,
    receipt: Annotated[Path | None, typer.Option(help="Where to keep the signed receipt.")] = None,
    deadline_s: Annotated[int, typer.Option(min=1, max=86400, help="Seconds to wait.")] = 600,
) -> None:
    """Run a query in the room and write the released result."""
    if form is Format.PARQUET and output is None:
        raise typer.BadParameter("Parquet needs --output FILE")
    with _room(config) as room:
        result = _with_progress(room, _text(sql), deadline_s)
    write(result.to_pandas(), form, output)
    if receipt is not None:
        receipt.write_text(result.receipt.to_json(), encoding="utf-8")
    if form is Format.TABLE and output is None:
        typer.echo(summary(result))
    elif result.suppressed:
        typer.echo(f"{result.suppressed} groups withheld: too few persons", err=True)


def explain(sql: Sql, config: Config) -> None:
    """Say what a query would open to whom, what else leaks and what it costs; nothing runs."""
    with _room(config) as room:
        typer.echo(room.explain(_text(sql)).text)


def tables(
    config: Config,
    form: Form = Format.TABLE,
) -> None:
    """List the contract's tables and columns, and what this recipient may do with each."""
    with _room(config) as room:
        write(room.tables(), form, None)


def status(config: Config) -> None:
    """Say which members' processes attend the room."""
    with _room(config) as room:
        for member, attends in room.status().items():
            typer.echo(f"{member}: {'attends' if attends else 'absent'}")


def write(frame: "pd.DataFrame", form: Format, output: Path | None) -> None:
    """Write rows as a table, CSV, JSON or Parquet, to a file or the screen."""
    if form is Format.PARQUET:
        frame.to_parquet(output or sys.stdout.buffer, index=False)
        return
    match form:
        case Format.CSV:
            text = frame.to_csv(index=False)
        case Format.JSON:
            text = frame.to_json(orient="records", date_format="iso", indent=2) + "\n"
        case _:
            text = as_table(frame)
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")


def as_table(frame: "pd.DataFrame") -> str:
    """Draw rows for a terminal."""
    import pandas as pd
    from rich.console import Console
    from rich.table import Table

    from cleanroom.cli.words import printable

    table = Table()
    for name in frame.columns:
        number = pd.api.types.is_numeric_dtype(frame[name])
        table.add_column(printable(str(name)), justify="right" if number else "left")
    for row in frame.itertuples(index=False):
        table.add_row(*("NULL" if pd.isna(cell) else printable(str(cell)) for cell in row))
    console = Console()
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def summary(result: "Result") -> str:
    """Say in a line what a query cost and withheld."""
    stats = result.stats
    withheld = ""
    if result.suppressed:
        withheld = f"; {result.suppressed} groups withheld: too few persons"
    return (
        f"{stats.rows} rows in {stats.seconds:.2f} s, {stats.rounds} rounds, "
        f"{stats.bytes_sent / 1e6:.1f} MB sent by all members{withheld}"
    )


def _room(config: Path) -> "Room":
    from cleanroom.client import connect

    return connect(config)


def _text(sql: str) -> str:
    return sys.stdin.read() if sql == "-" else sql


def _with_progress(room: "Room", sql: str, deadline_s: int) -> "Result":
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("asking") as line:
        return room.sql(
            sql,
            deadline_s=deadline_s,
            on_progress=lambda stage, member: line.update(f"{member}: {stage}"),
        )
