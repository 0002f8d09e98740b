"""A query as totals of public cells, which every owner adds up by itself and encrypts.

Rule: what fits and what doesn't, with the reason. Owners do all but the last addition; HAVING,
the order and LIMIT are the recipient's, who gets the totals of every cell anyway. For quantiles
cells are divided by value as well: the recipient opens a histogram, to which it needs the right.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from cleanroom.errors import OverflowPossible, UnsupportedQuery
from cleanroom.plan.ciphertexts import MAX_TOTALS, CellKey, Ciphertexts
from cleanroom.plan.nodes import Aggregate, Derive, Derived, Release
from cleanroom.plan.plan import OpenedColumn
from cleanroom.query.columns import Bits, Columns
from cleanroom.query.histogram import Histogram, same_weight
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
from cleanroom.sql.render import sql_of
from protocols.he.parameters import MAX_CONTRIBUTORS, SUM

_FROM_SUMS = ("count", "sum", "avg")
_FROM_HISTOGRAMS = ("median", "quantile_disc")
_ON_SHARES = "Ask with protocol 'mpc', which computes it on shares."


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
    for what, remedy in _obstacles(query, placement):
        raise UnsupportedQuery(f"{what} with protocol 'he'", remedy=remedy)
    return _Lowering(query, Columns.of(placement, query.keys)).run()


@dataclass(slots=True)
class _Lowering:
    query: Query
    columns: Columns
    totals: Totals = field(init=False)
    statistics: Statistics = field(init=False)
    keys: list[Bits] = field(init=False)

    def __post_init__(self) -> None:
        self.totals = Totals(self.columns)
        self.statistics = Statistics(self.columns, self.totals)
        self.keys = [self.columns.key(key, opened=True) for key in self.query.keys]

    def run(self) -> Cells:
        parts = self.query, self.totals, self.statistics, self.keys.__getitem__, self._quantile
        outcome = Outcome(*parts, choosing=True)
        present = outcome.occurrences("COUNT(*)") if self.query.grouped else None
        select = outcome.select()
        divided = self._histogram(outcome)
        if divided is not None:
            select.from_(divided.groups(), copy=False)
        sums = self._sums()
        cells = self._ciphertexts(sums, present)
        grouped = Aggregate(sums, tuple(key.name for key in cells.keys), (), cells.totals, ())
        root = Release(grouped, 1, None, tuple(outcome.opened), most=cells.cells)
        lowered = Lowered(root, tuple(outcome.opened.values()), sql_of(select))
        return Cells(lowered, cells, tuple(expr.args[0] for expr in self.statistics.quantiles))

    def _quantile(self, expr: Expr) -> tuple[str, Bits]:
        found, bits = self.statistics.quantile(expr, meaning(self.query, expr.args[0]))
        return found.name, bits

    def _sums(self) -> Derive:
        """Build what owners deliver, and the totals of it.

        Raises:
            OverflowPossible: naming a total that may not fit.
        """
        units = Units(self.columns)
        units.register(self.columns.placement.root)
        built = Tree(self.query, self.columns).build(units)
        found = self.totals.found.values()
        sums = tuple(Derived(total.name, total.bound(built.rows), total.terms) for total in found)
        for total, derived in zip(found, sums, strict=True):
            _check_reach(total.meaning, derived.bound)
        return Derive(built.node, sums)

    def _ciphertexts(self, sums: Derive, present: str | None) -> Ciphertexts:
        by = (*self.keys, *(bits for _, bits in self.statistics.quantiles.values()))
        found = Ciphertexts(
            SUM.name,
            tuple(_cell_key(self.query, bits) for bits in dict.fromkeys(by)),
            tuple(derived.name for derived in sums.sums),
            present,
            max(derived.bound for derived in sums.sums),
        )
        _check_size(found)
        return found

    def _histogram(self, outcome: Outcome) -> Histogram | None:
        """Open how often each value occurs, in place of the quantiles of these values."""
        found = self.statistics.quantiles
        if not found:
            return None
        quantiles = tuple(quantile for quantile, _ in found.values())
        if not same_weight(quantiles):
            what = "quantiles of several columns with protocol 'he'"
            raise UnsupportedQuery(what, remedy=f"Ask for one column's at a time. {_ON_SHARES}")
        for quantile in quantiles:
            outcome.opened.pop(quantile.name)
        expr, (quantile, bits) = next(iter(found.items()))
        text = meaning(self.query, expr.args[0])
        count = OpenedColumn(quantile.weight, "number", "BIGINT", f"COUNT({text})")
        outcome.opened.setdefault(quantile.weight, count)
        names = {total.name for total in self.totals.found.values()}
        sums = tuple(column for name, column in outcome.opened.items() if name in names)
        outcome.values_of(bits.column.name, bits, text)
        value = outcome.opened[bits.column.name]
        return Histogram(tuple(key.column.name for key in self.keys), sums, value, quantiles)


def _obstacles(query: Query, placement: Placement) -> Iterator[tuple[str, str]]:
    """Yield what can't be answered from sums, and the smallest change that could be."""
    root = placement.root
    if query.rows:
        yield "rows without GROUP BY", f"Ask for totals of groups. {_ON_SHARES}"
    if any(source.is_view for source in placement.sources):
        yield "an aggregation inside another query", _ON_SHARES
    if len(placement.sources[0].members) > MAX_CONTRIBUTORS:
        yield f"a table of more than {MAX_CONTRIBUTORS} owners", _ON_SHARES
    if len(placement.sources) > 1 or root.links or root.crossing or root.before:
        yield "a join between owners", f"Name tables of one owner each. {_ON_SHARES}"
    for expr in _after(query):
        for node in walk(expr):
            if node.op == "aggregate" and not _follows(node):
                name = str(node.value).upper().replace("_DISTINCT", " of DISTINCT values")
                remedy = "COUNT, SUM, AVG, VARIANCE, STDDEV, COVAR and CORR follow from sums."
                yield name, f"{remedy} {_ON_SHARES}"


def _after(query: Query) -> tuple[Expr, ...]:
    return (*(o.expr for o in query.outputs), *(o.expr for o in query.order), *query.having)


def _follows(aggregate: Expr) -> bool:
    """Whether an aggregate follows from sums, of rows or of those with each value."""
    return aggregate.value in (*_FROM_SUMS, *_FROM_HISTOGRAMS) or is_moment(aggregate)


def _cell_key(query: Query, bits: Bits) -> CellKey:
    """Return a key with as many codes as its declared values.

    Raises:
        UnsupportedQuery: if nothing but the length of its values is declared.
    """
    domain = bits.encoding.domain
    if bits.encoding.kind not in ("number", "code"):
        what = f"cells by {meaning(query, bits.expr)} with protocol 'he'"
        remedy = f"Declare its values in the contract: cells must be known. {_ON_SHARES}"
        raise UnsupportedQuery(what, remedy=remedy)
    return CellKey(bits.column.name, domain.high - domain.low + 1, bits.column.nullable)


def _check_size(found: Ciphertexts) -> None:
    if found.numbers > MAX_TOTALS:
        what = f"{found.cells} cells with {len(found.totals)} totals each with protocol 'he'"
        remedy = f"Group by fewer or coarser values: {MAX_TOTALS} totals at most. {_ON_SHARES}"
        raise UnsupportedQuery(what, remedy=remedy)


def _check_reach(meaning: str, bound: int) -> None:
    if bound > SUM.most_total:
        what = f"{meaning} may reach {bound} with protocol 'he'; {SUM.most_total} is exact"
        raise OverflowPossible(what)
