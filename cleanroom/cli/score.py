"""`cleanroom score`: what a member that owns rows does with another's model."""

from pathlib import Path
from typing import Annotated

import typer

from cleanroom.cli.query import Config, FormOrSuffix, summary, with_progress
from cleanroom.cli.rows import Format, check_writable, format_of, write, write_text

Model = Annotated[str, typer.Argument(help="A model of the contract: member.model.")]
Table = Annotated[str, typer.Argument(help="A table whose rows this member holds.")]


def score(
    model: Model,
    table: Table,
    config: Config,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say who would learn what; nothing runs.")
    ] = False,
    form: FormOrSuffix = None,
    output: Annotated[Path | None, typer.Option(help="File to write, not the screen.")] = None,
    receipt: Annotated[Path | None, typer.Option(help="Where to keep the signed receipt.")] = None,
    deadline_s: Annotated[int, typer.Option(min=1, max=86400, help="Seconds to wait.")] = 600,
) -> None:
    """Score own rows under another member's model; neither is shown to the other."""
    from cleanroom.recipient.room import connect

    form = form or format_of(output)
    if form is Format.PARQUET and output is None:
        raise typer.BadParameter("Parquet needs --output FILE")
    check_writable(output, receipt)
    with connect(config) as room:
        if explain:
            typer.echo(room.explain_score(model=model, table=table).text)
            return
        result = with_progress(
            lambda told: room.score(
                model=model, table=table, deadline_s=deadline_s, on_progress=told
            )
        )
    write(result.to_arrow(), form, output)
    if receipt is not None:
        write_text(receipt, result.receipt.to_json())
    if form is Format.TABLE and output is None:
        typer.echo(summary(result))
