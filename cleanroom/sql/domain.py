"""What is publicly known about an expression's values: kind, range, scale, NULLs.

Rule: facts from the contract and interval arithmetic over them, nothing from data. They set
bit widths and prove that no sum wraps; an expression without a proof is refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from cleanroom.contract.columns import ColumnTerms
from cleanroom.contract.types import Kind
from cleanroom.errors import OverflowPossible, UnsupportedQuery

LIMIT = 1 << 62  # exclusive bound on every integer that a query computes
DECIMAL_LIMIT = 10**18  # DuckDB computes DECIMAL(18) in 64 bits and fails beyond
MAX_SCALE = 18
_NUMBERS = (Kind.INTEGER, Kind.DECIMAL)


@dataclass(frozen=True, slots=True)
class Domain:
    """The values an expression may take.

    Attributes:
        kind: SQL family; None if only DuckDB knows (floating point).
        low, high: range of the encoded integers; for TEXT with `values`, of their positions.
        values: the sorted values of a TEXT that can hold no others.
        max_bytes: longest TEXT, in bytes of UTF-8.
    """

    kind: Kind | None
    low: int = 0
    high: int = 0
    scale: int = 0
    nullable: bool = False
    values: tuple[str, ...] = ()
    max_bytes: int = 0

    @classmethod
    def of_column(cls, terms: ColumnTerms) -> "Domain":
        """Return what the contract declares about a column."""
        sql_type = terms.sql_type
        if sql_type.kind is not Kind.TEXT:
            low, high = terms.range
            return cls(sql_type.kind, low, high, sql_type.scale, terms.nullable)
        if terms.values is not None:
            return text_of(terms.values, terms.nullable)
        return cls(Kind.TEXT, nullable=terms.nullable, max_bytes=terms.max_bytes or 0)

    @property
    def is_number(self) -> bool:
        return self.kind in _NUMBERS

    @property
    def magnitude(self) -> int:
        return max(abs(self.low), abs(self.high))

    @property
    def size(self) -> int:
        """Return how many different values are possible, NULL included."""
        if self.kind is Kind.TEXT and not self.values:
            return 1 << (8 * self.max_bytes + 1)
        return self.high - self.low + 1 + self.nullable


UNKNOWN = Domain(None, nullable=True)
NOTHING = Domain(None, 1, 0, nullable=True)  # of an untyped NULL: an empty range
TRUTH = Domain(Kind.BOOLEAN, 0, 1)


def text_of(values: Iterable[str], nullable: bool = False) -> Domain:
    """Return the domain of TEXT that can only be one of `values`."""
    ordered = tuple(sorted(set(values), key=str.encode))
    longest = max((len(value.encode()) for value in ordered), default=0)
    high = max(len(ordered) - 1, 0)
    return Domain(Kind.TEXT, 0, high, nullable=nullable, values=ordered, max_bytes=longest)


def rescaled(domain: Domain, scale: int) -> Domain:
    """Return the same numbers with encoded integers of a finer scale."""
    factor = 10 ** (scale - domain.scale)
    return replace(domain, low=domain.low * factor, high=domain.high * factor, scale=scale)


def union(domains: Iterable[Domain]) -> Domain:
    """Return a domain that holds the values of all, at a common kind and scale.

    Raises:
        UnsupportedQuery: if the kinds can't be compared, naming them.
    """
    first, *others = [d for d in domains if d != NOTHING] or [NOTHING]
    for other in others:
        first = _union(first, other)
    return first


def _union(a: Domain, b: Domain) -> Domain:
    nullable = a.nullable or b.nullable
    if a.kind is None or b.kind is None:
        return UNKNOWN
    if a.is_number and b.is_number:
        scale = max(a.scale, b.scale)
        a, b = rescaled(a, scale), rescaled(b, scale)
        kind = Kind.DECIMAL if scale or Kind.DECIMAL in (a.kind, b.kind) else Kind.INTEGER
        return Domain(kind, min(a.low, b.low), max(a.high, b.high), scale, nullable)
    if a.kind is not b.kind:
        raise UnsupportedQuery(f"{a.kind} and {b.kind} meet in one expression")
    if a.kind is not Kind.TEXT:
        return replace(a, low=min(a.low, b.low), high=max(a.high, b.high), nullable=nullable)
    if a.values and b.values:
        return text_of((*a.values, *b.values), nullable)
    return Domain(Kind.TEXT, nullable=nullable, max_bytes=max(a.max_bytes, b.max_bytes))


def add(a: Domain, b: Domain) -> Domain:
    """Return the domain of a + b, both numbers."""
    scale = max(a.scale, b.scale)
    a, b = rescaled(a, scale), rescaled(b, scale)
    return _number(a.low + b.low, a.high + b.high, scale, a, b)


def multiply(a: Domain, b: Domain) -> Domain:
    """Return the domain of a * b, both numbers."""
    ends = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
    return _number(min(ends), max(ends), a.scale + b.scale, a, b)


def negate(a: Domain) -> Domain:
    """Return the domain of -a, a number."""
    checked(a)
    return replace(a, low=-a.high, high=-a.low)


def _number(low: int, high: int, scale: int, a: Domain, b: Domain) -> Domain:
    if scale > MAX_SCALE:
        raise UnsupportedQuery(f"an expression with {scale} decimal places; {MAX_SCALE} at most")
    kind = Kind.DECIMAL if Kind.DECIMAL in (a.kind, b.kind) else Kind.INTEGER
    return checked(Domain(kind, low, high, scale, a.nullable or b.nullable))


def checked(domain: Domain) -> Domain:
    """Return a number's domain if DuckDB computes with all its values without an overflow.

    Raises:
        OverflowPossible: naming the largest value.
    """
    limit = DECIMAL_LIMIT if domain.kind is Kind.DECIMAL else LIMIT
    if domain.magnitude >= limit:
        reach = f"{domain.magnitude}; below {limit} is safe"
        raise OverflowPossible(f"an arithmetic expression may reach {reach}")
    return domain
