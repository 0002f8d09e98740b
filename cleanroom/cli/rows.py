"""Rows on their way out: as a table, CSV, JSON or Parquet, to the screen or a file.

Rule: exact types until the last step. A file that can't be written is found out before a query
is asked, because asking costs everybody's time.
"""

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from cleanroom.errors import ConfigInvalid

if TYPE_CHECKING:
    import pyarrow as pa


class Format(StrEnum):
    """How a result is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def format_of(output: Path | None) -> Format:
    """Return the format that a file's suffix names; a table without one."""
    suffix = output.suffix.lower().removeprefix(".") if output is not None else ""
    return Format(suffix) if suffix in set(Format) else Format.TABLE


def check_writable(*files: Path | None) -> None:
    """Refuse files that can't be written; None stands for the screen.

    Raises:
        ConfigInvalid: naming the file.
    """
    for file in files:
        if file is None:
            continue
        if file.is_dir():
            raise _unwritable(file, "it is a folder")
        if not file.parent.is_dir():
            raise _unwritable(file, "there is no such folder")
        if not os.access(file if file.exists() else file.parent, os.W_OK):
            raise _unwritable(file, "no permission")


def write(rows: "pa.Table", form: Format, output: Path | None) -> None:
    """Write rows, in their exact types, as a table, CSV, JSON or Parquet, to a file or screen."""
    if form is Format.PARQUET:
        from pyarrow import parquet

        try:
            parquet.write_table(rows, output)
        except OSError as error:
            raise _unwritable(output, error.strerror) from None
        return
    text = {Format.CSV: as_csv, Format.JSON: as_json, Format.TABLE: as_table}[form](rows)
    if output is None:
        typer.echo(text, nl=False)
    else:
        write_text(output, text)


def as_csv(rows: "pa.Table") -> str:
    """Write rows with a header; NULL is an empty cell."""
    import io

    from pyarrow import csv

    buffer = io.BytesIO()
    csv.write_csv(rows, buffer)
    return buffer.getvalue().decode()


def as_json(rows: "pa.Table") -> str:
    """Write a list of objects; DECIMAL, DATE and TIMESTAMP are strings, so that none is rounded."""
    import json

    return json.dumps(rows.to_pylist(), default=str, indent=2, ensure_ascii=False) + "\n"


def as_table(rows: "pa.Table") -> str:
    """Draw rows; cells too wide for a terminal go on below, and nothing is ever cut."""
    import pyarrow as pa
    from rich.table import Table
    from rich.text import Text

    from cleanroom.cli.words import printable, wide_console

    table = Table()
    for column in rows.schema:
        types = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
        number = any(is_type(column.type) for is_type in types)
        justify: Literal["right", "left"] = "right" if number else "left"
        table.add_column(Text(printable(column.name)), justify=justify, overflow="fold")
    for row in rows.to_pylist():
        cells = ("NULL" if cell is None else printable(str(cell)) for cell in row.values())
        table.add_row(*map(Text, cells))
    console = wide_console(4 * rows.num_columns + 1)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def write_text(file: Path, text: str) -> None:
    """Write a text file.

    Raises:
        ConfigInvalid: naming the file that can't be written.
    """
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise _unwritable(file, error.strerror) from None


def _unwritable(file: Path | None, why: str | None) -> ConfigInvalid:
    remedy = "Name a file in a folder where you may write."
    return ConfigInvalid(f"cannot write {file}: {why or 'it fails'}", remedy=remedy)
