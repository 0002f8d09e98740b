"""How a column's values may be written, and the rules that no row may break, as SQL.

Rule: conditions over a column of text, in the contract's order. A rule in words names no value.
"""

from collections.abc import Iterator

from sqlglot import exp

from cleanroom.contract.columns import ColumnTerms
from cleanroom.contract.types import Kind
from cleanroom.sql.domain import Domain
from cleanroom.sql.encode import integer
from cleanroom.sql.render import constant, function

OUTSIDE = "a value outside of the declared bounds"
MISSING = "NULL where the contract allows none"
_DAY = r"\d{4}-\d{2}-\d{2}"
_CLOCK = r"\d{2}:\d{2}(:\d{2}(\.\d{0,6}0*)?)?"
_ZONE = r"(Z|[+-]\d{2}(:?\d{2})?)"


def rules_of(column: str, terms: ColumnTerms) -> Iterator[tuple[exp.Expr, str]]:
    """Yield conditions that no row may meet, and the rule each would break."""
    value = exp.column(column, quoted=True)
    if not terms.nullable:
        yield exp.Is(this=value, expression=exp.Null()), MISSING
    if terms.sql_type.kind is Kind.TEXT:
        yield from _of_text(value, terms)
        return
    if terms.sql_type.kind is Kind.TIMESTAMP:
        zoned = function("regexp_full_match", value, constant(rf"{_DAY}[ T]{_CLOCK} ?{_ZONE}"))
        yield zoned, "a TIMESTAMP has no time zone in a contract; convert it"
    converted = exp.TryCast(this=value, to=exp.DataType.build(duckdb_type(terms), "duckdb"))
    unreadable = exp.Is(this=converted, expression=exp.Null())
    inexact = exp.Not(this=function("regexp_full_match", value, constant(written(terms))))
    known = exp.Not(this=exp.Is(this=value, expression=exp.Null()))
    broken = exp.and_(known, exp.or_(unreadable, inexact))
    yield broken, f"a value that is no {terms.type}"
    low, high = terms.range
    domain = Domain(terms.sql_type.kind, low, high, terms.sql_type.scale)
    encoded = integer(converted, domain, domain.scale)
    outside = exp.or_(
        exp.LT(this=encoded, expression=constant(low)),
        exp.GT(this=encoded.copy(), expression=constant(high)),
    )
    yield outside, OUTSIDE


def _of_text(value: exp.Expr, terms: ColumnTerms) -> Iterator[tuple[exp.Expr, str]]:
    place = function("instr", value, function("chr", constant(0)))
    yield exp.GT(this=place, expression=constant(0)), "a text with a NUL"
    if terms.values is not None:
        known = [constant(declared) for declared in terms.values]
        yield exp.Not(this=exp.In(this=value, expressions=known)), "a text that is not declared"
    if terms.max_bytes is not None:
        length = function("octet_length", function("encode", value))
        longer = exp.GT(this=length, expression=constant(terms.max_bytes))
        yield longer, f"a text of more than max_bytes = {terms.max_bytes} bytes"


def written(terms: ColumnTerms) -> str:
    """Return how exact values are written: nothing that a conversion would round."""
    scale = terms.sql_type.scale
    match terms.sql_type.kind:
        case Kind.INTEGER:
            return r"[+-]?\d+(\.0*)?"
        case Kind.DECIMAL:
            plain = rf"(\d+(\.\d{{0,{scale}}}0*)?|\.\d{{1,{max(scale, 1)}}}0*)"
            small = (rf"\d(\.\d{{0,{scale - e}}}0*)?[eE]-0?{e}" for e in range(1, scale + 1))
            return rf"[+-]?({'|'.join((plain, *small))})"
        case Kind.DATE:
            return rf"{_DAY}([ T]00:00:00(\.0*)?)?"
        case Kind.TIMESTAMP:
            return rf"{_DAY}([ T]{_CLOCK})?"
    return r"(?i)true|false|t|f|0|1|yes|no"


def duckdb_type(terms: ColumnTerms) -> str:
    names = {Kind.INTEGER: "BIGINT", Kind.TEXT: "VARCHAR"}
    return names.get(terms.sql_type.kind, str(terms.sql_type))
