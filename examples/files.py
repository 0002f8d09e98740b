"""Reading an example's own files: what is missing or damaged is said by name, never by value.

Rule: CSV in, DataFrame out; knows no example.
"""

import zlib
from pathlib import Path
from typing import Any

import pandas as pd

from cleanroom.errors import DataMismatch

UNREADABLE = (OSError, EOFError, ValueError, zlib.error)


def read(folder: Path, name: str, columns: dict[str, Any], **options: Any) -> pd.DataFrame:
    """Read a CSV file, of which only these columns are kept.

    Args:
        columns: names, each with the type of its values for pandas.
        options: of `pd.read_csv`.

    Raises:
        DataMismatch: naming the file and the columns that it needs.
    """
    remedy = f"It has to be CSV with the columns {', '.join(columns)}."
    if not (folder / name).is_file():
        raise mismatch(folder, name, "is missing", remedy)
    try:
        rows: pd.DataFrame = pd.read_csv(
            folder / name, usecols=list(columns), dtype=columns, **options
        )
    except UNREADABLE:
        raise mismatch(folder, name, "can't be read", remedy) from None
    if rows.empty:
        raise mismatch(folder, name, "has no rows", remedy)
    return rows


def mismatch(folder: Path, name: str, what: str, remedy: str = "") -> DataMismatch:
    """Return what to raise of a file that isn't what the example needs."""
    return DataMismatch(f"{str(folder / name)!r} {what}", remedy=remedy or "Name another folder.")
