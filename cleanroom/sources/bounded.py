"""Rows held to a contract's bounds where answers are noisy: what one person adds is bounded then.

Rule: what is kept of a person's rows follows from these rows alone, so one person more or less
changes no other's. Where answers are exact, rows beyond the bounds are refused; here a refusal
would tell of one person, and the noise covers what the bounds allow. Data of another form than the
contract's, and more than `max_rows` rows, are errors of the owner's data all the same, at its start
and before any session (`database`): which of too many rows stay would depend on all persons.
"""

import duckdb
from sqlglot import exp

from cleanroom.contract.columns import TableTerms
from cleanroom.sql.render import cast, constant, function, sql_of


def hold_to(
    connection: duckdb.DuckDBPyConnection, table: exp.Table, terms: TableTerms, salt: str
) -> tuple[int, int]:
    """Move values to the nearest bound, and leave out rows beyond those that a person may have.

    Persons aren't moved, as two would become one: their rows are left out. Which rows of a person
    stay follows from a hash of what they hold, so not from their places, and not from other
    persons' rows.

    Args:
        salt: of the hash.

    Returns:
        how many values were moved, and how many rows were left out.
    """
    left_out = _run(connection, _nobodys(table, terms))
    moved = sum(
        _run(connection, change)
        for column, of in terms.columns.items()
        if of.bounds is not None and column != terms.person
        for change in _moves(table, column, of.bounds)
    )
    if terms.max_rows_per_person is None:
        return moved, left_out
    surplus = _run(connection, _surplus(table, terms, terms.max_rows_per_person, salt))
    return moved, left_out + surplus


def _nobodys(table: exp.Table, terms: TableTerms) -> exp.Expr:
    """Leave out rows whose person is NULL, or outside of the declared bounds."""
    name, of = exp.column(terms.person, quoted=True), terms.columns[terms.person]
    outside: list[exp.Expr] = [exp.Is(this=name, expression=exp.Null())]
    if of.bounds is not None:
        low, high = map(constant, of.bounds)
        outside.append(exp.LT(this=name.copy(), expression=low))
        outside.append(exp.GT(this=name.copy(), expression=high))
    return exp.delete(table.copy(), where=exp.or_(*outside))


def _moves(table: exp.Table, column: str, bounds: tuple[object, object]) -> list[exp.Expr]:
    name, (low, high) = exp.column(column, quoted=True), map(constant, bounds)
    below, above = exp.LT(this=name, expression=low), exp.GT(this=name, expression=high)
    return [_set(table, column, low, below), _set(table, column, high, above)]


def _set(table: exp.Table, column: str, value: exp.Expr, where: exp.Expr) -> exp.Expr:
    change = exp.EQ(this=exp.column(column, quoted=True), expression=value.copy())
    return exp.Update(this=table.copy(), expressions=[change], where=exp.Where(this=where.copy()))


def _surplus(table: exp.Table, terms: TableTerms, most: int, salt: str) -> exp.Expr:
    texts = (cast(exp.column(column, quoted=True), "VARCHAR") for column in terms.columns)
    held = [function("coalesce", text, constant("")) for text in texts]
    by = function("sha256", function("concat_ws", constant("\x1f"), constant(salt), *held))
    place = exp.Window(
        this=function("row_number"),
        partition_by=[exp.column(terms.person, quoted=True)],
        order=exp.Order(expressions=[by]),
    )
    row = exp.column("rowid")
    placed = exp.Select().select(row, exp.alias_(place, "place")).from_(table.copy())
    beyond = exp.Select().select(row.copy()).from_(placed.subquery("p"))
    beyond = beyond.where(exp.GT(this=exp.column("place"), expression=constant(most)))
    where = exp.In(this=exp.column("rowid"), query=exp.Subquery(this=beyond))
    return exp.delete(table.copy(), where=where)


def _run(connection: duckdb.DuckDBPyConnection, change: exp.Expr) -> int:
    found = connection.execute(sql_of(change)).fetchone()
    return int(found[0]) if found else 0
