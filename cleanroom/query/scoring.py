"""From two names to the plan of a scoring, the same at both members."""

from sqlglot import exp

from cleanroom.contract.columns import ColumnTerms, Right
from cleanroom.contract.models import FeatureTerms
from cleanroom.contract.terms import Terms
from cleanroom.contract.types import Kind
from cleanroom.errors import UnknownName, UnsupportedQuery
from cleanroom.plan.plan import Use
from cleanroom.plan.scoring import Feature, ScorePlan
from cleanroom.sql.domain import Domain
from cleanroom.sql.encode import integer
from cleanroom.sql.names import nearest
from cleanroom.sql.render import cast, constant, function, sql_of

PARAMETERS = "bfv-score-1"


def compile_scoring(
    model: str, table: str, terms: Terms, contract_hash: str, recipient: str, purpose: str = ""
) -> ScorePlan:
    """Plan the scoring of a member's own rows.

    Raises:
        UnknownName: naming the models there are, or the nearest table.
        UnsupportedQuery: for a table whose columns aren't the model's features, or of another.
    """
    if model not in terms.models:
        remedy = f"The contract has {', '.join(terms.models) or 'none'}."
        raise UnknownName(f"no model {model[:64]!r}", remedy=remedy)
    if table not in terms.tables:
        raise UnknownName(f"no table {table[:64]!r}", remedy=nearest(table, terms.tables))
    if recipient not in terms.owners(table):
        remedy = f"Ask as {' or '.join(terms.owners(table))}: rows are scored for their owner."
        raise UnsupportedQuery(f"{recipient} holds no rows of {table}", remedy=remedy)
    of = terms.models[model]
    _check_columns(model, table, terms)
    return ScorePlan(
        contract_hash=contract_hash,
        recipient=recipient,
        owner=model.partition(".")[0],
        model=model,
        table=table,
        kind=of.kind,
        person=terms.tables[table].person,
        features=tuple(Feature(n, f.decimals, f.reach) for n, f in of.features.items()),
        weight_decimals=of.weight_decimals,
        score_decimals=of.score_decimals,
        max_rows=min(of.max_rows, terms.tables[table].max_rows),
        max_rows_per_day=of.max_rows_per_day,
        uses=tuple(Use(table, name, Right.SCORE.value) for name in of.features),
        parameters=PARAMETERS,
        read_sql=_read_sql(model, table, terms),
        purpose=purpose,
    )


def _check_columns(model: str, table: str, terms: Terms) -> None:
    try:
        terms.models[model].check_table(table, terms.tables[table])
    except ValueError as error:
        remedy = "Have all members sign a contract in which the table's columns fit the model."
        raise UnsupportedQuery(f"under {model}: {error}", remedy=remedy) from None


def _read_sql(model: str, table: str, terms: Terms) -> str:
    """Write what the rows' owner runs: integers in units of each feature's last place."""
    owner, dot, rest = table.partition(".")
    source = exp.table_(rest if dot else owner, db=owner if dot else None, quoted=True)
    declared = terms.tables[table]
    person = exp.column(declared.person, quoted=True)
    select = exp.Select().from_(source).select(exp.alias_(person, "person", quoted=True))
    for number, (name, feature) in enumerate(terms.models[model].features.items()):
        value = _units(name, declared.columns[name], feature)
        select = select.select(exp.alias_(value, f"feature_{number}", quoted=True))
    return sql_of(select)


def _units(name: str, column: ColumnTerms, feature: FeatureTerms) -> exp.Expr:
    value: exp.Expr = exp.column(name, quoted=True)
    domain = Domain.of_column(column)
    if domain.kind is Kind.BOOLEAN:
        value, domain = cast(value, "BIGINT"), Domain(Kind.INTEGER, 0, 1)
    units = cast(integer(value, domain, feature.decimals), "BIGINT")
    if not column.nullable or feature.null_units is None:
        return units
    return function("coalesce", units, constant(feature.null_units))
