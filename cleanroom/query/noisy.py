"""A query under differential privacy: totals of public cells, each of them noisy.

Rule: what fits and what doesn't, with the reason. All cells that the keys of GROUP BY may make
are opened, those without rows too: whether a group is there tells nothing. HAVING, the order and
LIMIT are the recipient's, who chooses among noisy totals.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from cleanroom.contract.terms import Terms
from cleanroom.errors import OverflowPossible, UnsupportedQuery
from cleanroom.plan.ciphertexts import CellKey, Ciphertexts
from cleanroom.plan.nodes import Aggregate, Derive, Derived, Release
from cleanroom.plan.noise import QueryNoise
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
    query: Query, placement: Placement, terms: Terms, recipient: str, epsilon: float, by: str
) -> Noisy:
    """Lower a placed query to noisy totals of cells.

    Args:
        by: the protocol.

    Raises:
        UnsupportedQuery: naming what can't be asked under differential privacy, or on
            ciphertexts, and the smallest change.
        OverflowPossible: naming a total that may wrap with its noise.
    """
    _refuse(query, by)
    if by == "he":
        refuse(query, placement, "Ask with protocol 'mpc'.")
    rows = rows_of_a_person(query)
    columns = Columns.of(placement, query.keys)
    totals = Totals(columns)
    keys = {i: columns.key(key, opened=True) for i, key in enumerate(query.keys)}
    statistics = Statistics(columns, totals)
    outcome = Outcome(
        query, totals, statistics, keys.__getitem__, _no_value, choosing=True, noisy=True
    )
    final_sql = outcome.final_sql()
    units = Units(columns)
    units.register(placement.root)
    built = Tree(query, columns).build(units)
    sums = tuple(Derived(t.name, t.bound(built.rows), t.terms) for t in totals.found.values())
    cells = _cells(query, tuple(dict.fromkeys(keys.values())), by)
    distincts = tuple(statistics.distincts.values())
    most = math.prod(key.choices for key in cells)
    forms = Canonical(query)
    asked = {
        total.name: (digest([kind, forms.text(arg) if arg else "*"]), (rows * total.magnitude) ** 2)
        for (kind, arg), total in totals.found.items()
    }
    for (kind, arg), one in statistics.distincts.items():
        asked[one.name] = digest([f"{kind}_distinct", forms.text(arg)]), min(rows, most)
    budget = epsilon, terms.privacy.delta
    sharers, lost = _sharers(placement, recipient, by)
    noise = noise_of(*budget, asked, rows=rows, cells=most, sharers=sharers, lost=lost)
    told = {bits.column.name: digest(forms.text(bits.expr)) for bits in keys.values()}
    keys_told = tuple(told[key.name] for key in cells)
    noise = replace(noise, keys=keys_told, rows_form=digest(forms.rows()))
    names, found = tuple(key.name for key in cells), tuple(d.name for d in sums)
    grouped = Aggregate(Derive(built.node, sums), names, (), found, (), distincts, cells=cells)
    bounds = {d.name: d.bound for d in sums} | {d.name: d.bound for d in distincts}
    reach = {name: bound + noise.most(name) for name, bound in bounds.items()}
    _check_reach(totals, reach, by)
    ciphertexts = None
    if by == "he":
        ciphertexts = Ciphertexts(SUM.name, cells, found, None, max(reach.values()))
        check_size(ciphertexts)
    root = Release(grouped, 1, None, tuple(outcome.opened), most=most)
    lowered = Lowered(root, tuple(outcome.opened.values()), final_sql)
    return Noisy(lowered, noise, ciphertexts)


def _refuse(query: Query, by: str) -> None:
    for what, remedy in _obstacles(query, by):
        raise UnsupportedQuery(f"{what} {NOISY}", remedy=remedy)


def _obstacles(query: Query, by: str) -> Iterator[tuple[str, str]]:
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


def _cells(query: Query, keys: tuple[Bits, ...], by: str) -> tuple[CellKey, ...]:
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


def _sharers(placement: Placement, recipient: str, by: str) -> tuple[int, int]:
    """Return how many members add noise, and how many of them may tell theirs to the recipient.

    On shares two of the three computing members are honest. On ciphertexts every owner trusts
    itself, and then all others but one, besides the recipient's own noise, which it knows.
    """
    if by == "mpc":
        return COMPUTING, 1
    owners = placement.sources[0].members
    return len(owners), min(len(owners) - 1, 1 + (recipient in owners))


def _check_reach(totals: Totals, reach: dict[str, int], by: str) -> None:
    limit = SUM.most_total + 1 if by == "he" else LIMIT
    texts = {total.name: total.meaning for total in totals.found.values()}
    for name, most in reach.items():
        if most >= limit:
            what = f"{texts.get(name, name)} may reach {most} with its noise; below {limit} is safe"
            remedy = "Ask with a larger epsilon, or declare tighter bounds in the contract."
            raise OverflowPossible(what, remedy=remedy)


