"""Cleaned columns beside a loaded table's own, for the linkages that it is a side of.

Rule: computed once, while an owner's rows are loaded; a row that is left out takes them along.
"""

from collections.abc import Iterator

import duckdb
from duckdb.func import SPECIAL
from sqlglot import exp

from cleanroom.contract.linkages import FieldKind, of_table
from cleanroom.contract.terms import Terms
from cleanroom.contract.types import Kind
from cleanroom.linkage.columns import Cleaned, columns_of
from cleanroom.sql.render import cast, constant, function, sql_of

_TEN_DIGITS = "%010d"  # a number has lost the zeros that it begins with


def add_cleaned(
    connection: duckdb.DuckDBPyConnection, table: exp.Table, name: str, terms: Terms
) -> None:
    """Add to a table what all linkages need of it.

    Args:
        table, name: the loaded table, and as the contract names it.
    """
    if not (wanted := list(_wanted(name, terms))):
        return
    select = exp.Select().select(exp.Star()).from_(table)
    for place, one in enumerate(wanted):
        called = f"cleaned_{place}"
        makes = one.text if one.compared is None else one.features
        connection.create_function(called, makes, ["VARCHAR"], one.type, null_handling=SPECIAL)
        kind = terms.tables[name].columns[one.source].sql_type.kind
        text = _as_text(exp.column(one.source, quoted=True), kind, one.field.kind)
        select = select.select(exp.alias_(function(called, text), one.name, quoted=True))
    connection.execute(f"CREATE OR REPLACE TABLE {sql_of(table)} AS {sql_of(select)}")
    for place in range(len(wanted)):
        connection.remove_function(f"cleaned_{place}")


def _wanted(name: str, terms: Terms) -> Iterator[Cleaned]:
    for linkage, of, side in of_table(terms.linkages, name):
        yield from columns_of(linkage, of, side)


def _as_text(value: exp.Expr, kind: Kind, field: FieldKind) -> exp.Expr:
    if kind is Kind.INTEGER and field is FieldKind.NHS_NUMBER:
        return function("printf", constant(_TEN_DIGITS), value)
    return cast(value, "VARCHAR")
