"""The rows, models and apps that a caller hands to a `LocalRoom`: whose they are, each as a file.

Rule: only the contract's columns are written. What doesn't fit is refused by table and column;
a message never holds a value, so no error of pandas or Arrow gets through.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from cleanroom.contract.terms import Terms
from cleanroom.errors import DataMismatch, ModelMismatch, UnknownName
from cleanroom.flower.apps import App, read

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Table: TypeAlias = "pd.DataFrame | pa.Table | Path | str"
Data: TypeAlias = "Mapping[str, Table | Mapping[str, Table]]"
Model: TypeAlias = Mapping[str, object] | Path | str
Models: TypeAlias = Mapping[str, Model]
OptOuts: TypeAlias = Mapping[str, Path | str | Collection[object]]


def by_member(terms: Terms, data: Data) -> dict[str, dict[str, Table]]:
    """Sort tables by who holds them; every part of every table must be given.

    Raises:
        UnknownName: for a table that the contract doesn't have.
        DataMismatch: naming the table or member whose rows are missing, or no rows at all.
    """
    if not isinstance(data, Mapping):
        raise DataMismatch(f"data is a dict from table to rows, not a {type(data).__name__}")
    found: dict[str, dict[str, Table]] = {member: {} for member in terms.members}
    for table, rows in data.items():
        if table not in terms.tables:
            remedy = f"The contract has {', '.join(terms.tables)}."
            raise UnknownName(f"no table {table!r} in the contract", remedy=remedy)
        for member, part in _parts(terms, table, rows):
            found[member][table] = part
    for member, tables in found.items():
        if missing := set(terms.tables_of(member)) - set(tables):
            raise DataMismatch(f"no rows given for {', '.join(sorted(missing))}", party=member)
    return found


def models_by_member(terms: Terms, models: Models) -> dict[str, dict[str, Model]]:
    """Sort models by who holds them.

    Raises:
        UnknownName: for a model that the contract doesn't have.
    """
    found: dict[str, dict[str, Model]] = {member: {} for member in terms.members}
    for name, model in models.items():
        if name not in terms.models:
            raise UnknownName(f"no model {name!r} in the contract")
        found[name.partition(".")[0]][name] = model
    return found


def as_json(model: Model, path: Path) -> Path:
    """Return the file that holds a model: the caller's own, or `path`, written here.

    Raises:
        ModelMismatch: if it is neither a path nor made of names and numbers.
    """
    if isinstance(model, str | Path):
        return Path(model).resolve()
    try:
        path.write_text(json.dumps(model, default=float), encoding="utf-8")
    except (TypeError, ValueError):
        raise ModelMismatch(f"model {path.stem} is more than names and numbers") from None
    return path


def as_list(persons: Path | str | Collection[object], path: Path) -> Path:
    """Return the file that lists persons: the caller's own, or `path`, written here."""
    if isinstance(persons, str | Path):
        return Path(persons).resolve()
    path.write_text("".join(f"{person}\n" for person in persons), encoding="utf-8")
    return path


def as_toml(value: Any) -> str:
    """Write names, numbers, texts, lists and tables on one line, as TOML has them."""
    match value:
        case Mapping():
            pairs = (f"{json.dumps(key)} = {as_toml(inner)}" for key, inner in value.items())
            return "{" + ", ".join(pairs) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(as_toml, value)) + "]"
        case _:
            return json.dumps(value)


def as_approved(apps: Mapping[str, Path | str]) -> dict[str, App]:
    """Approve the code of apps as it is in their folders.

    Raises:
        AppRefused: if a folder holds no app.
    """
    found = {}
    for name, folder in apps.items():
        whole = Path(folder).resolve()
        found[name] = App(folder=whole, sha256=read(whole).sha256)
    return found


def as_file(rows: Table, path: Path, table: str, columns: tuple[str, ...]) -> Path:
    """Return the file that holds the rows: the caller's own, or `path`, written here.

    Raises:
        DataMismatch: naming the column that is missing, there twice, or of no one type.
    """
    if isinstance(rows, str | Path):
        return Path(rows).resolve()
    import pyarrow as pa
    from pyarrow import parquet

    where = _places(rows, table, columns)
    arrays = {column: _array(rows, i, f"{table} column {column}") for column, i in where.items()}
    parquet.write_table(pa.table(arrays), path)
    return path


def _parts(
    terms: Terms, table: str, rows: "Table | Mapping[str, Table]"
) -> Iterator[tuple[str, Table]]:
    owners = terms.owners(table)
    federated = terms.tables[table].members is not None
    if federated != isinstance(rows, Mapping):
        form = "a dict from member to rows" if federated else "one table or path"
        raise DataMismatch(f"{table} takes {form}")
    parts = rows if isinstance(rows, Mapping) else {owners[0]: rows}
    if set(parts) != set(owners):
        remedy = "Give a DataFrame or a path for each of them, and for nobody else."
        raise DataMismatch(f"{table} is held by {', '.join(owners)}", remedy=remedy)
    for member, part in parts.items():
        _check_kind(table, part)
        yield member, part


def _check_kind(table: str, rows: object) -> None:
    import pandas as pd
    import pyarrow as pa

    if not isinstance(rows, pd.DataFrame | pa.Table | str | Path):
        kind = type(rows).__name__
        what = f"{table} takes a pandas.DataFrame, a pyarrow.Table or a path, not a {kind}"
        raise DataMismatch(what, remedy="Build a DataFrame with the contract's columns.")


def _places(
    rows: "pd.DataFrame | pa.Table", table: str, columns: tuple[str, ...]
) -> dict[str, int]:
    """Return the position of each column of the contract; case doesn't matter, as in SQL."""
    import pyarrow as pa

    names = rows.column_names if isinstance(rows, pa.Table) else list(rows.columns)
    found: dict[str, int] = {}
    for column in columns:
        places = [i for i, name in enumerate(names) if str(name).lower() == column]
        if len(places) != 1:
            what = "is there more than once" if places else "is missing"
            raise DataMismatch(f"table {table} column {column} {what}")
        found[column] = places[0]
    return found


def _array(rows: "pd.DataFrame | pa.Table", i: int, where: str) -> object:
    import pyarrow as pa

    if isinstance(rows, pa.Table):
        return rows.column(i)
    try:
        return pa.Array.from_pandas(rows.iloc[:, i])
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        raise DataMismatch(f"table {where} holds values of several types, or of none") from None
