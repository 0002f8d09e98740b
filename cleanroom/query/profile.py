"""From a table's name to the plan of its profile, the same at every member."""

from sqlglot import exp

from cleanroom.contract.terms import Terms
from cleanroom.errors import UnknownName
from cleanroom.plan.profile import ProfilePlan
from cleanroom.sql.names import nearest
from cleanroom.sql.render import cast, sql_of


def compile_profile(
    table: str, terms: Terms, contract_hash: str, recipient: str, purpose: str = ""
) -> ProfilePlan:
    """Plan a table's profile.

    Raises:
        UnknownName: naming the nearest table.
    """
    if table not in terms.tables:
        raise UnknownName(f"no table {table!r}", remedy=nearest(table, terms.tables))
    declared = terms.tables[table]
    usable = [n for n, c in declared.columns.items() if c.rights_of(recipient, purpose)]
    missing = "missing" in declared.profile
    columns = tuple(n for n in usable if declared.columns[n].nullable and missing)
    return ProfilePlan(
        contract_hash=contract_hash,
        recipient=recipient,
        purpose=purpose,
        table=table,
        owners=terms.owners(table),
        tells=tuple(sorted(set(declared.profile))) if usable else (),
        columns=columns,
        min_group=terms.privacy.min_group,
        read_sql=_read_sql(table, declared.person, columns),
    )


def _read_sql(table: str, person: str, columns: tuple[str, ...]) -> str:
    owner, dot, rest = table.partition(".")
    source = exp.table_(rest if dot else owner, db=owner if dot else None, quoted=True)
    who = exp.column(person, quoted=True)
    select = exp.Select().from_(source)
    select = _with(select, exp.Count(this=exp.Star(), big_int=True), "rows")
    select = _with(select, _distinct(who), "persons")
    for number, name in enumerate(columns):
        column = exp.column(name, quoted=True)
        empty = exp.Is(this=column, expression=exp.Null())
        rows = exp.Count(this=exp.case().when(empty, exp.true()), big_int=True)
        select = _with(select, rows, f"missing_{number}")
        without = exp.case().when(empty.copy(), who.copy())
        select = _with(select, _distinct(without), f"persons_without_{number}")
        within = exp.case().when(exp.not_(empty.copy()), who.copy())
        select = _with(select, _distinct(within), f"persons_with_{number}")
    return sql_of(select)


def _distinct(value: exp.Expr) -> exp.Expr:
    return exp.Count(this=exp.Distinct(expressions=[value]), big_int=True)


def _with(select: exp.Select, value: exp.Expr, name: str) -> exp.Select:
    return select.select(exp.alias_(cast(value, "BIGINT"), name, quoted=True))
