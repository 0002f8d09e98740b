"""A query under differential privacy: totals of public cells, each of them noisy.

Rule: what fits and what doesn't, with the reason. All cells that the keys of GROUP BY may make
are opened, those without rows too: whether a group is there tells nothing. HAVING, the order and
LIMIT are the recipient's, who chooses among noisy totals.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from cleanroom.contract.terms import Terms
from cleanroom.errors import OverflowPossible, UnsupportedQuery
from cleanroom.plan.ciphertexts import CellKey, Ciphertexts
from cleanroom.plan.nodes import Aggregate, Derive, Derived
from cleanroom.plan.noise import QueryNoise
from cleanroom.plan.plan import Protocol
from cleanroom.plan.release import Release
from cleanroom.plan.schema import schema_of
from cleanroom.query.canonical import Canonical, digest
from cleanroom.query.cells import cell_key, check_size, refuse
from cleanroom.query.columns import Bits, Columns
from cleanroom.query.contributions import NOISY, is_person, rows_of_a_person
from cleanroom.query.lower import Lowered
from cleanroom.query.noise import noise_of
from cleanroom.query.outcome import Outcome, meaning
from cleanroom.query.sources import Placement
from cleanroom.query.statistics import Statistics
from cleanroom.query.totals import Totals
from cleanroom.query.tree import Tree
from cleanroom.query.units import Units
from cleanroom.sql.bind import Query
from cleanroom.sql.domain import LIMIT
from cleanroom.sql.expr import Expr, walk
from protocols.he.parameters import SUM

MAX_CELLS = 1 << 16  # on shares
COMPUTING = 3
_SUMS = ("count", "sum", "avg", "corr")
_POWERS = ("var_", "stddev_", "covar_")
_ALLOWED = "Ask for COUNT, SUM, AVG, VARIANCE, STDDEV or COUNT(DISTINCT person)."


@dataclass(frozen=True, slots=True)
class Noisy:
    """Attributes: ciphertexts: where it runs on them; None on shares."""

    lowered: Lowered
    noise: QueryNoise
    ciphertexts: Ciphertexts | None


def lower_noisily(
    query: Query, placement: Placement, terms: Terms, recipient: str, epsilon: float, by: Protocol
) -> Noisy:
    """Lower a placed query to noisy totals of cells.

    Raises:
        UnsupportedQuery: naming what can't be asked under differential privacy, or on
            ciphertexts, and the smallest change.
        OverflowPossible: naming a total that may wrap with its noise.
    """
    _refuse(query, by)
    if by == "he":
        refuse(query, placement, "Ask with protocol 'mpc'.")
    rows = rows_of_a_person(query)
    asked = _Asked(query, placement)
    cells = _cells(query, tuple({b.column.name: b for b in asked.keys.values()}.values()), by)
    sharers, lost = _sharers(placement, recipient, by)
    noise = noise_of(
        epsilon,
        terms.privacy.delta,
        asked.sensitivities(rows, math.prod(key.choices for key in cells)),
        rows=rows,
        cells=math.prod(key.choices for key in cells),
        sharers=sharers,
        lost=lost,
    )
    noise = replace(noise, keys=asked.key_forms(cells), rows_form=digest(asked.forms.rows()))
    lowered = asked.lowered(cells)
    reach = _reach(lowered.root.input, noise)
    _check_reach(asked.totals, reach, by)
    if by == "mpc":
        return Noisy(lowered, noise, None)
    found = lowered.root.input.sums
    ciphertexts = Ciphertexts(SUM.name, cells, found, None, max(reach.values()))
    check_size(ciphertexts)
    return Noisy(lowered, noise, ciphertexts)


@dataclass(slots=True)
class _Asked:
    """A query's keys and totals, and how they read.

    Attributes:
        forms: tells them apart whatever their names.
    """

    query: Query
    placement: Placement
    totals: Totals = field(init=False)
    statistics: Statistics = field(init=False)
    keys: dict[int, Bits] = field(init=False)
    outcome: Outcome = field(init=False)
    final_sql: str = field(init=False)
    forms: Canonical = field(init=False)

    def __post_init__(self) -> None:
        query = self.query
        columns = Columns.of(self.placement, query.keys)
        self.totals, self.forms = Totals(columns), Canonical(query)
        self.keys = {i: columns.key(key, opened=True) for i, key in enumerate(query.keys)}
        self.statistics = Statistics(columns, self.totals)
        parts = query, self.totals, self.statistics, self.keys.__getitem__, _no_value
        self.outcome = Outcome(*parts, choosing=True, noisy=True)
        self.final_sql = self.outcome.final_sql()

    def sensitivities(self, rows: int, cells: int) -> dict[str, tuple[str, int]]:
        """Return total -> its form, and by how much, squared, one person with `rows` changes it."""
        found = {}
        for (kind, arg), total in self.totals.found.items():
            form = digest([kind, "*" if arg is None else self.forms.text(arg)])
            found[total.name] = form, (rows * total.magnitude) ** 2
        for (kind, arg), one in self.statistics.distincts.items():
            form = digest([f"{kind}_distinct", self.forms.text(arg)])
            found[one.name] = form, min(rows, cells)
        return found

    def key_forms(self, cells: tuple[CellKey, ...]) -> tuple[str, ...]:
        """Return the form of each key of the cells."""
        told = {b.column.name: digest(self.forms.text(b.expr)) for b in self.keys.values()}
        return tuple(told[key.name] for key in cells)

    def lowered(self, cells: tuple[CellKey, ...]) -> Lowered:
        """Return the tree of the plan."""
        columns = self.totals.columns
        units = Units(columns, proven=True)  # a join that fails at its bound tells of rows
        units.register(self.placement.root)
        built = Tree(self.query, columns).build(units)
        sums = tuple(
            Derived(t.name, t.bound(built.rows), t.terms) for t in self.totals.found.values()
        )
        grouped = Aggregate(
            Derive(built.node, sums),
            tuple(key.name for key in cells),
            (),
            tuple(derived.name for derived in sums),
            (),
            tuple(self.statistics.distincts.values()),
            cells=cells,
        )
        opened = self.outcome.opened
        most = math.prod(key.choices for key in cells)
        root = Release(grouped, 1, None, tuple(opened), most=most)
        return Lowered(root, tuple(opened.values()), self.final_sql)


def _reach(grouped: Aggregate, noise: QueryNoise) -> dict[str, int]:
    """Return the most that each total may be, with its noise."""
    sums = schema_of(grouped).sums
    return {column.name: column.bound + noise.most(column.name) for column in sums}


def _refuse(query: Query, by: Protocol) -> None:
    for what, remedy in _obstacles(query, by):
        raise UnsupportedQuery(f"{what} {NOISY}", remedy=remedy)


def _obstacles(query: Query, by: Protocol) -> Iterator[tuple[str, str]]:
    if query.rows:
        yield "rows without GROUP BY", _ALLOWED
    after = [*(o.expr for o in query.outputs), *(o.expr for o in query.order), *query.having]
    asked = [node for expr in after for node in walk(expr) if node.op == "aggregate"]
    for one in asked:
        name, text = str(one.value), meaning(query, one)
        if name == "count_distinct":
            if not is_person(query, one.args[0]):
                yield f"{text}, of anything but a person column,", _ALLOWED
            if by == "he":
                remedy = "Ask with protocol 'mpc', which knows a person of two owners as one."
                yield f"{text} on ciphertexts", remedy
        elif name not in _SUMS and not name.startswith(_POWERS):
            yield text, _ALLOWED
    if not asked:
        yield "a query without an aggregate", _ALLOWED


def _no_value(expr: Expr) -> tuple[str, Bits]:
    raise ValueError(f"{expr.value} was refused before")


def _cells(query: Query, keys: tuple[Bits, ...], by: Protocol) -> tuple[CellKey, ...]:
    try:
        cells = tuple(cell_key(query, bits, "") for bits in keys)
    except UnsupportedQuery as error:
        what = error.message.removesuffix(" with protocol 'he'")
        raise UnsupportedQuery(f"{what} {NOISY}", remedy=error.remedy) from None
    most = math.prod(key.choices for key in cells)
    if most > MAX_CELLS and by == "mpc":
        remedy = f"Group by fewer or coarser values: {MAX_CELLS} cells at most."
        raise UnsupportedQuery(f"{most} cells {NOISY}", remedy=remedy)
    return cells


def _sharers(placement: Placement, recipient: str, by: Protocol) -> tuple[int, int]:
    """Return how many members add noise, and how many of them may tell theirs to the recipient.

    On shares two of the three computing members are honest. On ciphertexts every owner trusts
    itself, and then all others but one, besides the recipient's own noise, which it knows.
    """
    if by == "mpc":
        return COMPUTING, 1
    owners = placement.sources[0].members
    return len(owners), min(len(owners) - 1, 1 + (recipient in owners))


def _check_reach(totals: Totals, reach: dict[str, int], by: Protocol) -> None:
    limit = SUM.most_total + 1 if by == "he" else LIMIT
    texts = {total.name: total.meaning for total in totals.found.values()}
    for name, most in reach.items():
        if most >= limit:
            what = f"{texts.get(name, name)} may reach {most} with its noise; below {limit} is safe"
            remedy = "Ask with a larger epsilon, or declare tighter bounds in the contract."
            raise OverflowPossible(what, remedy=remedy)
