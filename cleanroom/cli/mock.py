"""`cleanroom mock`: made-up rows of a contract, as files, for scripts, tests and other tools."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cleanroom.cli.options import MaybeConfig

if TYPE_CHECKING:
    import pyarrow as pa

    from cleanroom.contract.terms import Terms
    from cleanroom.recipient.room import Room

TermsFile = Annotated[
    Path | None, typer.Option("--terms", help="The contract's terms, as TOML, signed or not.")
]


Mock = Annotated[
    bool, typer.Option("--mock", help="Of made-up rows of the same contract, on this machine.")
]


@contextmanager
def room_of(config: Path, *, mock: bool) -> "Iterator[Room]":
    """Yield the room that a file names, or its twin on this machine with made-up rows."""
    from cleanroom.recipient.room import connect

    with connect(config) as room:
        if not mock:
            yield room
            return
        typer.echo("of made-up rows", err=True)
        with room.mock() as twin:
            yield twin


def mock(
    context: typer.Context,
    output: Annotated[Path, typer.Option(help="Folder to make, of one folder for each owner.")],
    config: MaybeConfig = None,
    terms: TermsFile = None,
    rows: Annotated[int, typer.Option(min=1, max=1 << 20, help="Of each owner's part.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="The same one gives the same rows.")] = 0,
) -> None:
    """Write made-up rows of a contract's tables: OUTPUT/OWNER/TABLE.csv."""
    from cleanroom.local.mock import mock_rows

    source = context.get_parameter_source("config")
    if terms is not None and source is not None and source.name == "ENVIRONMENT":
        config = None
    if (config is None) == (terms is None):
        raise typer.BadParameter("either --config FILE of a member, or --terms FILE")
    for name, table in mock_rows(_terms(config, terms), rows, seed).items():
        parts = table if isinstance(table, dict) else {name.partition(".")[0]: table}
        for owner, part in parts.items():
            typer.echo(str(_write(part, output / owner, name)))


def _terms(config: Path | None, terms: Path | None) -> "Terms":
    from cleanroom.contract.terms import Terms
    from cleanroom.recipient.room import connect

    if config is None:
        return Terms.of(terms or "")
    with connect(config) as room:
        return room.contract.terms


def _write(rows: "pa.Table", folder: Path, name: str) -> Path:
    """Write an owner's part; NULL is an empty cell, as owners' own files have it."""
    from cleanroom.cli.rows import as_csv, write_text
    from cleanroom.errors import ConfigInvalid

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigInvalid(f"cannot make {folder}: {error.strerror}") from None
    path = folder / f"{name}.csv"
    write_text(path, as_csv(rows))
    return path
