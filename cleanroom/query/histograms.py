"""Aggregates that follow from how often each value occurs: one histogram a column, in each cell.

Rule: exact, so every value that the contract allows has a number of its own. The recipient sees
them all; what it may see is ruled on as GROUP BY would be.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from cleanroom.errors import UnsupportedQuery
from cleanroom.plan.ciphertexts import Histogram
from cleanroom.plan.grouping import Distinct, Extreme
from cleanroom.query.columns import Bits, Columns
from cleanroom.query.outcome import meaning
from cleanroom.query.statistics import Statistics
from cleanroom.sql.bind import Query
from cleanroom.sql.expr import Expr

ON_SHARES = "Ask with protocol 'mpc', which computes it on shares."


@dataclass(slots=True)
class Values:
    """The register of MIN and MAX, and of the histograms behind them and `statistics`."""

    query: Query
    columns: Columns
    statistics: Statistics
    found: dict[Expr, tuple[Extreme, Bits]] = field(default_factory=dict)

    def value(self, expr: Expr) -> tuple[str, Bits]:
        """Register MIN, MAX or QUANTILE_DISC: its name and the column of its values."""
        (arg, *_) = expr.args
        if expr.value == "quantile_disc":
            quantile, bits = self.statistics.quantile(expr, meaning(self.query, arg))
            return quantile.name, bits
        if expr not in self.found:
            if arg.op == "literal":
                raise UnsupportedQuery("MIN or MAX of anything but columns of one owner")
            bits, name = self.columns.ordered(arg), f"x{len(self.found)}"
            kind: Literal["min", "max"] = "min" if expr.value == "min" else "max"
            self.found[expr] = Extreme(name, kind, bits.column.name), bits
        extreme, bits = self.found[expr]
        return extreme.name, bits

    @property
    def extremes(self) -> tuple[Extreme, ...]:
        return tuple(extreme for extreme, _ in self.found.values())

    @property
    def distincts(self) -> tuple[Distinct, ...]:
        return tuple(self.statistics.distincts.values())

    @property
    def shown(self) -> tuple[Expr, ...]:
        """Return the expressions whose histograms are opened."""
        return tuple(bits.expr for bits in self._bits())

    def histograms(self) -> Iterator[Histogram]:
        """Yield what owners have to count; the totals that weigh their rows are asked for here.

        Raises:
            UnsupportedQuery: if nothing but the length of its values is declared.
        """
        for bits in self._bits():
            text, domain = meaning(self.query, bits.expr), bits.encoding.domain
            if bits.encoding.kind not in ("number", "code"):
                remedy = f"Declare its values in the contract: each is counted. {ON_SHARES}"
                raise UnsupportedQuery(f"a histogram of {text} with protocol 'he'", remedy=remedy)
            weight = self.statistics.totals.count(bits.expr, f"COUNT({text})").name
            yield Histogram(bits.column.name, domain.high - domain.low + 1, weight, text)

    def _bits(self) -> tuple[Bits, ...]:
        """Return the columns of whose values something is asked, each once."""
        names = [extreme.column for extreme in self.extremes]
        names += [distinct.column for distinct in self.distincts]
        names += [quantile.column for quantile, _ in self.statistics.quantiles.values()]
        known = {b.column.name: b for found in self.columns.bits for b in found.values()}
        return tuple(known[name] for name in dict.fromkeys(names))
