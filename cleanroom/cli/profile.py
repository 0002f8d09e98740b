"""`cleanroom profile`: what is known of a table before asking."""

from typing import Annotated

import typer

from cleanroom.cli.answers import with_progress
from cleanroom.cli.mock import Mock, room_of
from cleanroom.cli.options import Config, Deadline, Form, Offline, Purpose, ReceiptFile
from cleanroom.cli.rows import Format, check_writable, write, write_text
from cleanroom.cli.words import printable

Table = Annotated[str, typer.Argument(help="A table of the contract.")]


def profile(
    table: Table,
    config: Config,
    purpose: Purpose = "",
    form: Form = Format.TABLE,
    receipt: ReceiptFile = None,
    deadline_s: Deadline = 600,
    offline: Offline = False,
    mock: Mock = False,
) -> None:
    """Show a table's types, ranges and rights, and what its owners tell of their rows."""
    import pyarrow as pa

    if form is Format.PARQUET:
        raise typer.BadParameter("the list is small: table, csv or json")
    check_writable(None, receipt)
    with room_of(config, mock=mock) as room:
        found = with_progress(
            lambda told: room.profile(
                table, purpose=purpose, offline=offline, deadline_s=deadline_s, on_progress=told
            )
        )
    if form is Format.TABLE:
        typer.echo(printable(str(found)))
    write(pa.Table.from_pandas(found.to_pandas(), preserve_index=False), form, None)
    if receipt is not None and found.receipt is not None:
        write_text(receipt, found.receipt.to_json())
