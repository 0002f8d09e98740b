"""A query with private parameters as totals of public cells, which encrypted weights add up.

Rule: the parameters' columns tell cells apart as keys of GROUP BY do; what owners learn is that
they do. Nothing of what is sought is known here.
"""

import math
from collections.abc import Mapping, Sequence

from sqlglot import exp

from cleanroom.contract.terms import Terms
from cleanroom.contract.types import Kind
from cleanroom.errors import OverflowPossible, UnsupportedQuery
from cleanroom.plan.ciphertexts import Ciphertexts
from cleanroom.plan.nodes import Aggregate, Derive, Derived
from cleanroom.plan.plan import OpenedColumn, Use
from cleanroom.plan.private import MAX_TOTALS, MAX_VALUES, Parameter, Private
from cleanroom.plan.release import Release
from cleanroom.query.cells import cell_key, refuse
from cleanroom.query.columns import Bits, Columns
from cleanroom.query.lower import Lowered
from cleanroom.query.moments import is_moment
from cleanroom.query.outcome import Outcome, meaning
from cleanroom.query.sources import Placement
from cleanroom.query.statistics import Statistics
from cleanroom.query.totals import Totals
from cleanroom.query.tree import Tree
from cleanroom.query.units import Units
from cleanroom.sql.bind import Query
from cleanroom.sql.expr import Expr, walk
from cleanroom.sql.missing import bare
from cleanroom.sql.private import Mark, Taken
from cleanroom.sql.render import sql_of
from protocols.he.parameters import FILTER, FILTER_WIDE, Parameters

MAX_PROOF = 1 << 20  # a changed total passes once in so many times, if its bounds leave room
_FROM_SUMS = ("count", "sum", "avg")
RIGHTS = {"value": "private_filter", "values": "private_filter", "weights": "private_weights"}


def lower_privately(
    query: Query, placement: Placement, taken: Taken, keys: Sequence[Expr], terms: Terms
) -> tuple[Lowered, Ciphertexts]:
    """Lower a placed query without its private parameters, and those beside it.

    Args:
        keys: the column beside each parameter.

    Raises:
        UnsupportedQuery: naming what can't be asked privately, and the smallest change.
        OverflowPossible: naming a total that may not fit into the plain modulus.
    """
    refuse(query, placement, "")
    _refuse_histograms(query)
    register = Columns.of(placement, (*query.keys, *keys))
    totals = Totals(register)
    shown = {i: register.key(key, opened=True) for i, key in enumerate(query.keys)}
    opened, final_sql, present = _opened(query, taken, totals, register, shown)
    parameters = tuple(
        _parameter(query, mark, register.key(key, opened=True), terms)
        for mark, key in zip(taken.marks, keys, strict=True)
    )
    groups = tuple(cell_key(query, bits, "") for bits in dict.fromkeys(shown.values()))
    derive = _derived(query, register, totals)
    cells = math.prod(key.choices for key in groups)
    _check_size(cells * len(derive.sums), parameters)
    masses = tuple(derived.bound for derived in derive.sums for _ in range(cells))
    private, name = _private(parameters, taken, masses)
    names = tuple(derived.name for derived in derive.sums)
    reach = taken.largest * max(masses)
    found = Ciphertexts(name, groups, names, present, reach, private=private)
    grouped = Aggregate(derive, tuple(key.name for key in groups), (), names, ())
    root = Release(grouped, 1, None, tuple(opened), most=found.cells)
    return Lowered(root, tuple(opened.values()), final_sql), found


def private_uses(query: Query, taken: Taken, keys: Sequence[Expr]) -> tuple[Use, ...]:
    """Return the uses of the columns beside private parameters."""
    return tuple(
        Use(*_column(query, key), RIGHTS[mark.takes])
        for mark, key in zip(taken.marks, keys, strict=True)
    )


def _refuse_histograms(query: Query) -> None:
    """Refuse what would divide cells once more, by value."""
    for expr in (*(o.expr for o in query.outputs), *(o.expr for o in query.order), *query.having):
        for node in walk(expr):
            if node.op == "aggregate" and node.value not in _FROM_SUMS and not is_moment(node):
                name = str(node.value).upper().replace("_DISTINCT", " of DISTINCT values")
                remedy = "COUNT, SUM, AVG, VARIANCE, STDDEV, COVAR and CORR follow from sums."
                raise UnsupportedQuery(f"{name} with private parameters", remedy=remedy)


def _derived(query: Query, register: Columns, totals: Totals) -> Derive:
    """Return the totals of rows, with their bounds."""
    units = Units(register)
    units.register(register.placement.root)
    built = Tree(query, register).build(units)
    sums = tuple(Derived(t.name, t.bound(built.rows), t.terms) for t in totals.found.values())
    return Derive(built.node, sums)


def _opened(
    query: Query, taken: Taken, totals: Totals, register: Columns, keys: Mapping[int, Bits]
) -> tuple[dict[str, OpenedColumn], str, str | None]:
    """Return what is opened, the recipient's SQL, and the total that counts a group's rows."""
    if taken.weighs:
        return *_weighted(query, taken.scale, totals), None
    statistics = Statistics(register, totals)
    outcome = Outcome(query, totals, statistics, keys.__getitem__, _no_value, choosing=True)
    present = outcome.occurrences("COUNT(*)") if query.grouped else None
    final_sql = outcome.final_sql()
    return outcome.opened, final_sql, present


def _no_value(expr: Expr) -> tuple[str, Bits]:
    raise UnsupportedQuery(f"{str(expr.value).upper()} with private parameters")


def _weighted(query: Query, scale: int, totals: Totals) -> tuple[dict[str, OpenedColumn], str]:
    """Open weighted sums as they are: no rows give zero, for counts may cancel under weights."""
    found: dict[str, OpenedColumn] = {}
    select = exp.Select().from_(exp.table_("opened"))
    for output in query.outputs:
        arg = output.expr.args[0] if output.expr.args else None
        text = f"weighted {meaning(query, output.expr)}"
        total = totals.count(None, text) if arg is None else totals.sum(arg, text)
        places = scale + (0 if arg is None else arg.domain.scale)
        if places > 18:
            raise UnsupportedQuery(f"a weighted sum with {places} decimal places; 18 at most")
        sql_type = f"DECIMAL(38,{places})" if places else "HUGEINT"
        found[total.name] = OpenedColumn(total.name, "number", sql_type, text, places)
        column = exp.column(total.name, quoted=True)
        select = select.select(exp.alias_(column, output.name, quoted=True))
    return found, sql_of(select)


def _parameter(query: Query, mark: Mark, bits: Bits, terms: Terms) -> Parameter:
    """Return a private parameter with the values that its column may hold.

    Raises:
        UnsupportedQuery: if its column's values aren't declared.
    """
    table, column = _column(query, bits.expr)
    if bits.encoding.kind not in ("number", "code"):
        what = f"private parameter :{mark.name} beside {table}.{column}, whose values are unknown"
        raise UnsupportedQuery(what, remedy="Declare all its values in the contract.")
    key = cell_key(query, bits, "")
    declared = terms.tables[table].columns[column].sql_type
    values = bits.encoding.domain.values if declared.kind is Kind.TEXT else ()
    low = bits.encoding.low
    return Parameter(mark.name, table, column, key, str(declared), low, values, mark.takes)


def _column(query: Query, expr: Expr) -> tuple[str, str]:
    plain = bare(expr)
    if plain.op == "column":
        index, name = plain.reference
        table = query.tables[index]
        if table.view is None and table.local is None:
            return table.name, name
    what = "a private parameter beside a column that a subquery computes"
    raise UnsupportedQuery(what, remedy="Name a column of a table.")


def _check_size(totals: int, parameters: Sequence[Parameter]) -> None:
    values = math.prod(parameter.key.choices for parameter in parameters)
    if values > MAX_VALUES:
        names = " and ".join(parameter.where for parameter in parameters)
        what = f"private parameters over the {values} values of {names}; {MAX_VALUES} at most"
        remedy = "Declare fewer values or narrower bounds, or ask for a coarser column."
        raise UnsupportedQuery(what, remedy=remedy)
    if totals > MAX_TOTALS:
        what = f"{totals} totals with private parameters; {MAX_TOTALS} at most"
        raise UnsupportedQuery(what, remedy="Ask for fewer aggregates, or fewer groups.")


def _private(
    parameters: tuple[Parameter, ...], taken: Taken, masses: tuple[int, ...]
) -> tuple[Private, str]:
    """Choose the encryption, with as much room for the proof as the totals' bounds leave."""
    reach = taken.largest * max(*masses, 1)
    chosen = FILTER if reach * MAX_PROOF <= _most(FILTER) else FILTER_WIDE
    room = _most(chosen) // reach
    if room < 1:
        what = f"a total with private parameters may reach {reach}; {_most(chosen)} is exact"
        raise OverflowPossible(what)
    proof = min(room, MAX_PROOF)
    return Private(parameters, taken.largest, taken.scale, masses, proof), chosen.name


def _most(parameters: Parameters) -> int:
    """Return the largest total of a filter, whose plain modulus is a power of two."""
    return (1 << (parameters.plain_bits - 1)) - 1
