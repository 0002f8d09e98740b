"""`cleanroom linkages`, `cleanroom link`: which rows are of one person, and how well that works."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cleanroom.cli.answers import summary, with_progress
from cleanroom.cli.mock import Mock, room_of
from cleanroom.cli.options import (
    Config,
    Deadline,
    Explain,
    Form,
    FormOrSuffix,
    MinGroup,
    Offline,
    Output,
    Purpose,
)
from cleanroom.cli.rows import Format, check_writable, format_of, write
from cleanroom.cli.words import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from cleanroom.contract.terms import Terms
    from cleanroom.recipient.quality import Quality

Name = Annotated[str, typer.Argument(help="A linkage of the contract.")]
By = Annotated[
    list[str] | None,
    typer.Option("--by", help="A column of both tables, to part persons by; repeatable."),
]
Rates = Annotated[
    bool, typer.Option("--rates", help="Linked, unlinked and rate, not rungs; as with --by.")
]


def linkages(config: Config, form: Form = Format.TABLE) -> None:
    """List the contract's linkages: which tables, by which keys, for whom."""
    import pyarrow as pa

    from cleanroom.recipient.room import connect

    if form is Format.PARQUET:
        raise typer.BadParameter("the list is small: table, csv or json")
    with connect(config) as room:
        write(pa.Table.from_pandas(room.linkages(), preserve_index=False), form, None)


def page(terms: "Terms") -> "RenderableType":
    """Return a contract's linkages for those who are to sign it."""
    from rich.table import Table

    table = Table(title="Linkages: rows of two tables that are of one person, opened to nobody")
    table.title_justify = "left"
    for heading in ("linkage", "for", "of", "by"):
        table.add_column(heading, overflow="fold")
    for name, of in terms.linkages.items():
        rungs = "\n".join(f"{i}: {rung}" for i, rung in enumerate(of.rungs_in_words, start=1))
        table.add_row(name, ", ".join(of.to), f"{of.left} and {of.right}", rungs)
    return table


def link(
    name: Name,
    config: Config,
    by: By = None,
    rates: Rates = False,
    explain: Explain = False,
    offline: Offline = False,
    mock: Mock = False,
    purpose: Purpose = "",
    min_group: MinGroup = 1,
    form: FormOrSuffix = None,
    output: Output = None,
    deadline_s: Deadline = 600,
) -> None:
    """Say how many persons of either side each rung of a linkage links, and how many none does."""
    form = form or format_of(output)
    if form is Format.PARQUET and output is None:
        raise typer.BadParameter("Parquet needs --output FILE")
    check_writable(output)
    asked: dict[str, Any] = {"by": by or (), "purpose": purpose, "min_group": min_group}
    with room_of(config, mock=mock) as room:
        if explain:
            for sheet in room.explain_link(name, **asked, offline=offline):
                typer.echo(printable(sheet.text))
            return
        quality = with_progress(
            lambda told: room.link(name, **asked, deadline_s=deadline_s, on_progress=told)
        )
    _write(quality, form, output, rates=rates or bool(by))


def _write(quality: "Quality", form: Format, output: Path | None, *, rates: bool) -> None:
    """Write a table of rates or of rungs, and say what each side's query cost and withheld."""
    import pyarrow as pa

    table = quality.rates() if rates else quality.to_pandas()
    write(pa.Table.from_pandas(table, preserve_index=False), form, output)
    if form is Format.TABLE and output is None:
        for side, result in (quality.by_group if rates else quality.by_rung).items():
            typer.echo(f"{side}: {summary(result)}")
    elif quality.suppressed:
        typer.echo(f"{quality.suppressed} groups withheld", err=True)
