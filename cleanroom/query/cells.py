"""A query as totals of public cells, which every owner adds up by itself and encrypts.

Rule: what fits and what doesn't, with the reason. Owners do all but the last addition; HAVING,
the order and LIMIT are the recipient's, who gets the totals of every cell anyway. What doesn't
follow from totals follows from histograms.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cleanroom.errors import OverflowPossible, UnsupportedQuery
from cleanroom.plan.ciphertexts import MAX_TOTALS, CellKey, Ciphertexts
from cleanroom.plan.nodes import Aggregate, Derive, Derived
from cleanroom.plan.release import Release
from cleanroom.query.columns import Bits, Columns
from cleanroom.query.histograms import ON_SHARES, Values
from cleanroom.query.lower import Lowered
from cleanroom.query.outcome import Outcome, meaning
from cleanroom.query.sources import Placement
from cleanroom.query.statistics import Statistics
from cleanroom.query.totals import Totals
from cleanroom.query.tree import Tree
from cleanroom.query.units import Units
from cleanroom.sql.bind import Query
from cleanroom.sql.expr import Expr
from protocols.he.parameters import MAX_CONTRIBUTORS, SUM


@dataclass(frozen=True, slots=True)
class Cells:
    """Attributes: shown: expressions of which each group's values are opened with their counts."""

    lowered: Lowered
    ciphertexts: Ciphertexts
    shown: tuple[Expr, ...]


def lower_to_cells(query: Query, placement: Placement) -> Cells:
    """Lower a placed query to totals of cells.

    Raises:
        UnsupportedQuery: naming what ciphertexts can't answer, and the smallest change.
        OverflowPossible: naming a total that may not fit into the plain modulus.
    """
    refuse(query, placement, ON_SHARES)
    columns = Columns.of(placement, query.keys)
    totals = Totals(columns)
    keys = {i: columns.key(key, opened=True) for i, key in enumerate(query.keys)}
    statistics = Statistics(columns, totals)
    values = Values(query, columns, statistics)
    outcome = Outcome(query, totals, statistics, keys.__getitem__, values.value, choosing=True)
    present = outcome.occurrences("COUNT(*)") if query.grouped else None
    final_sql = outcome.final_sql()
    histograms = tuple(values.histograms())
    units = Units(columns)
    units.register(placement.root)
    built = Tree(query, columns).build(units)
    sums = tuple(Derived(t.name, t.bound(built.rows), t.terms) for t in totals.found.values())
    for total, derived in zip(totals.found.values(), sums, strict=True):
        _check_reach(total.meaning, derived.bound)
    found = Ciphertexts(
        SUM.name,
        tuple(cell_key(query, bits, ON_SHARES) for bits in dict.fromkeys(keys.values())),
        tuple(derived.name for derived in sums),
        present,
        max(derived.bound for derived in sums),
        histograms,
    )
    check_size(found)
    names = tuple(key.name for key in found.keys)
    found_of_values = values.extremes, values.distincts, statistics.ranked(built.rows)
    grouped = Aggregate(Derive(built.node, sums), names, (), found.totals, *found_of_values)
    root = Release(grouped, 1, None, tuple(outcome.opened), most=found.cells)
    opened = tuple(outcome.opened.values())
    return Cells(Lowered(root, opened, final_sql), found, values.shown)


def refuse(query: Query, placement: Placement, otherwise: str) -> None:
    """Refuse what can't be answered from sums.

    Args:
        otherwise: what else can be done about it.

    Raises:
        UnsupportedQuery: naming it, and the smallest change that could be answered.
    """
    for what, remedy in _obstacles(query, placement):
        raise UnsupportedQuery(f"{what} with protocol 'he'", remedy=f"{remedy} {otherwise}".strip())


def _obstacles(query: Query, placement: Placement) -> Iterator[tuple[str, str]]:
    root = placement.root
    if query.rows:
        yield "rows without GROUP BY", "Ask for totals of groups."
    if any(source.is_view for source in placement.sources):
        yield "an aggregation inside another query", ""
    if len(placement.sources[0].members) > MAX_CONTRIBUTORS:
        yield f"a table of more than {MAX_CONTRIBUTORS} owners", ""
    if len(placement.sources) > 1 or root.links or root.crossing or root.before:
        yield "a join between owners", "Name tables of one owner each."


def cell_key(query: Query, bits: Bits, otherwise: str) -> CellKey:
    """Return a key with as many codes as its declared values.

    Raises:
        UnsupportedQuery: if nothing but the length of its values is declared.
    """
    domain = bits.encoding.domain
    if bits.encoding.kind not in ("number", "code"):
        what = f"GROUP BY {meaning(query, bits.expr)} with protocol 'he'"
        remedy = f"Declare its values in the contract: cells must be known. {otherwise}"
        raise UnsupportedQuery(what, remedy=remedy.strip())
    return CellKey(bits.column.name, domain.high - domain.low + 1, bits.column.nullable)


def check_size(found: Ciphertexts) -> None:
    if found.numbers <= MAX_TOTALS:
        return
    if found.cells * len(found.totals) > MAX_TOTALS:
        what = f"{found.cells} cells with {len(found.totals)} totals each with protocol 'he'"
        remedy = f"Group by fewer or coarser values: {MAX_TOTALS} totals at most. {ON_SHARES}"
        raise UnsupportedQuery(what, remedy=remedy)
    finest = max(found.histograms, key=lambda one: one.size)
    cells = "" if found.cells == 1 else f" in each of {found.cells} cells"
    what = f"a histogram of {finest.size} values of {finest.meaning}{cells} with protocol 'he'"
    remedy = (
        f"Declare tighter bounds or fewer decimals, or ask for coarser values, such as x // 10 of "
        f"an INTEGER or CAST(x AS DATE): {MAX_TOTALS} numbers at most. {ON_SHARES}"
    )
    raise UnsupportedQuery(what, remedy=remedy)


def _check_reach(meaning: str, bound: int) -> None:
    if bound > SUM.most_total:
        what = f"{meaning} may reach {bound} with protocol 'he'; {SUM.most_total} is exact"
        raise OverflowPossible(what)
