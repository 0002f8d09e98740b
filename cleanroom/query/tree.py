"""The tree of a plan below its aggregation: what each source yields, joined and filtered."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from cleanroom.contract.columns import MEMBER
from cleanroom.errors import OverflowPossible
from cleanroom.plan.conditions import And
from cleanroom.plan.leaf import Leaf, SumColumn
from cleanroom.plan.nodes import Compute, Node
from cleanroom.plan.schema import schema_of
from cleanroom.query import joins
from cleanroom.query.columns import Bits, Columns, Measure
from cleanroom.query.leaf import leaf_sql
from cleanroom.query.outcome import meaning
from cleanroom.query.reshape import Reshape
from cleanroom.query.sizes import Size, sizes_of
from cleanroom.query.units import Built, Units
from cleanroom.sql.bind import Query
from cleanroom.sql.domain import LIMIT
from cleanroom.sql.encode import compare_constant
from cleanroom.sql.expr import Expr
from cleanroom.sql.missing import bare, there
from cleanroom.sql.view import View


@dataclass(frozen=True, slots=True)
class Tree:
    """Builds the nodes below an aggregation, when all columns that they need are known.

    Attributes:
        by_row: of the columns by which a single source had better be sorted, if its rows must
            stay apart; None if those that are equal in all columns may be delivered as one.
    """

    query: Query
    columns: Columns
    by_row: tuple[str, ...] | None = None

    def build(self, units: Units) -> Built:
        """Build the nodes of all sources and join them.

        Raises:
            UnsupportedQuery: as `Units.build`.
            OverflowPossible: if an owner's own sum may wrap.
        """
        sizes = sizes_of(self.query, self.columns, by_row=self.by_row is not None)
        first = units.first_keys(self.columns.placement.root, sizes)
        nodes = dict(enumerate(self._nodes(sizes, first)))
        return units.build(self.columns.placement.root, sizes, nodes)

    def _nodes(
        self, sizes: tuple[Size, ...], first: Mapping[int, tuple[str, ...]]
    ) -> Iterator[Node]:
        for index, size in enumerate(sizes):
            by_key = {b.column.name: b for b in size.bits}
            names = first[index] or (self.by_row or () if len(sizes) == 1 else ())
            keys = [by_key.pop(name) for name in names]
            rest = sorted(by_key.values(), key=lambda b: bool(b.extreme))
            bits = (*keys, *rest)
            measures = tuple(self.columns.measures[index].values())
            behind = 1 if self.by_row is not None else size.rows  # rows behind one row of a leaf
            sums = tuple(SumColumn(m.name, self._reach(m.factor, behind)) for m in measures)
            view = self.query.tables[size.source.tables[0]].view
            if view is not None:
                yield self._reshaped(view, size, bits, measures)
                continue
            by_row = self.by_row is not None
            sql = leaf_sql(self.query, size.source, bits, measures, by_row=by_row)
            order = tuple(b.column.name for b in (keys if by_row else bits))
            columns = tuple(b.column for b in bits)
            read = (name for t in size.source.tables for name in self.query.tables[t].read)
            tables = tuple(dict.fromkeys(read))
            yield joins.source_node(
                tuple(
                    Leaf(
                        member,
                        sql,
                        columns,
                        sums,
                        size.leaf_rows,
                        order,
                        tables,
                        tuple(self._fixed(bits, member)),
                    )
                    for member in size.source.members
                )
            )

    def _fixed(self, bits: tuple[Bits, ...], member: str) -> Iterator[tuple[str, int]]:
        """Yield the columns that name who holds a row: everybody knows whose leaf it is."""
        for found in bits:
            expr = bare(found.expr)
            if expr.op != "column" or found.extreme or found.encoding.kind != "code":
                continue
            table, name = expr.reference
            if name == MEMBER and self.query.tables[table].terms.member_column is not None:
                yield found.column.name, compare_constant("=", member, found.encoding)[1]

    def _reshaped(
        self, view: View, size: Size, bits: tuple[Bits, ...], measures: tuple[Measure, ...]
    ) -> Compute:
        """Return the columns that this query needs of an inner aggregation."""
        schema = schema_of(view.node)
        bounds = {column.name: column.bound for column in schema.sums}
        bounds |= {f"#{c.name}": abs(c.low) + (1 << c.bits) for c in schema.bits}
        shape = Reshape(view, bounds)
        where = tuple(shape.condition(there(c)) for c in size.source.where)
        return Compute(
            view.node,
            And(where) if where else None,
            tuple(shape.computed(replace(b, expr=there(b.expr))) for b in bits),
            tuple(shape.derived(_there(m), self._reach(m.factor, 1)) for m in measures),
        )

    def _reach(self, factor: Expr | None, rows: int) -> int:
        magnitude = factor.domain.magnitude if factor is not None else 1
        if magnitude * rows >= LIMIT:
            what = meaning(self.query, factor) if factor is not None else "COUNT(*)"
            raise OverflowPossible(
                f"SUM({what}) at one owner may reach {magnitude} in each of {rows} rows; "
                f"a total below {LIMIT} is safe"
            )
        return magnitude * rows


def _there(measure: Measure) -> Measure:
    factor = None if measure.factor is None else there(measure.factor)
    return replace(measure, factor=factor, conditions=tuple(map(there, measure.conditions)))
