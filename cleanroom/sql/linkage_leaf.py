"""The SQL that one owner runs for a linkage: of each person its keys and features, hashed.

Rule: values are clean already, in columns that the owner's database keeps; this text puts them
together and hashes them under the session's key. Nothing of it leaves the owner but as shares.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

from sqlglot import exp

from cleanroom.contract.linkages import Form, LinkageTerms, Side
from cleanroom.contract.terms import Terms
from cleanroom.linkage.columns import Compared, compared_of, parts_of
from cleanroom.plan.leaf import BitsColumn, Leaf
from cleanroom.plan.linking import BLOCK, BLOCK_ORDER, ID, rank_of
from cleanroom.sql.domain import Domain
from cleanroom.sql.encode import choose, hashed, words
from cleanroom.sql.render import cast, constant, function, sql_of

KEY_BITS = 64  # two of n + m different keys agree with a probability below n m / 2^64
BLOCK_BITS, ORDER_BITS = 40, 24  # two blocks of one hash only have more pairs compared
_BETWEEN = 31  # a control character: no clean value holds it


@dataclass(frozen=True, slots=True)
class _Delivered:
    """One bits column: `made` of columns of the inner SELECT, which are what `read` says.

    Attributes:
        known: the inner column that is NULL where the value is missing; "" if it never is.
    """

    column: BitsColumn
    read: Sequence[tuple[str, exp.Expr]]
    made: Sequence[exp.Expr]
    known: str = ""


def linkage_leaf(name: str, terms: Terms, side: Side) -> Leaf:
    """Return what the owner of one side delivers."""
    linkage = terms.linkages[name]
    table = linkage.table(side)
    owner, _, short = table.partition(".")
    inner = exp.Select().from_(exp.table_(short, db=owner, quoted=True))
    outer = exp.Select()
    delivered = tuple(_delivered(name, linkage, terms, table))
    for one in delivered:
        for column, value in one.read:
            inner = inner.select(exp.alias_(value, column))
        for place, word in enumerate(one.made):
            sure = function("coalesce", word, constant(0)) if one.known else word
            outer = outer.select(exp.alias_(sure, f"{one.column.name}_{place}"))
        if one.known:
            missing = exp.Is(this=exp.column(one.known), expression=exp.Null())
            outer = outer.select(exp.alias_(exp.paren(missing), f"{one.column.name}_null"))
    most, keys = terms.tables[table].max_rows, keys_of(linkage)
    ranked = exp.Select().select(exp.Star()).from_(outer.from_(inner.subquery("g")).subquery("h"))
    for key in keys:
        ranked = ranked.select(exp.alias_(_rank(key), f"{rank_of(key)}_0"))
    ranks = (BitsColumn(rank_of(key), max(1, (most - 1).bit_length()), False) for key in keys)
    bits = (*(one.column for one in delivered), *ranks)
    return Leaf(owner, sql_of(ranked), bits, (), most, (), (table,))


def keys_of(linkage: LinkageTerms) -> tuple[str, ...]:
    """Return the bits columns that hold a linkage's keys, one a rung."""
    return tuple(f"key_{i}" for i in range(len(linkage.ladder)))


def _rank(key: str) -> exp.Expr:
    """Write the place, from 0, that a row takes in the order of a key, rows without it last."""
    order = [exp.Ordered(this=exp.column(f"{key}_{part}")) for part in ("null", "0")]
    number = exp.Window(this=exp.RowNumber(), order=exp.Order(expressions=order))
    return cast(exp.paren(exp.Sub(this=number, expression=constant(1))), "BIGINT")


def _delivered(name: str, linkage: LinkageTerms, terms: Terms, table: str) -> Iterator[_Delivered]:
    yield _person(terms, table)
    for key, forms in zip(keys_of(linkage), linkage.rung_forms(), strict=True):
        yield _hash_of(key, name, [_text(name, form) for form in forms])
    for i, one in enumerate(compared_of(linkage)):
        column = f"field_{i}"
        if one.feature is None:
            yield _hash_of(column, name, [_text(name, one.form)])
        else:
            yield _features(column, name, one)
    if block := linkage.block_forms():
        first = linkage.compared()[0]
        yield _hash_of(BLOCK, name, [_text(name, form) for form in block], BLOCK_BITS)
        yield _hash_of(BLOCK_ORDER, name, [_text(name, first)], ORDER_BITS)


def _person(terms: Terms, table: str) -> _Delivered:
    """Return who a row is."""
    person = terms.tables[table].person
    domain = Domain.of_column(terms.tables[table].columns[person])
    encoding, value = choose(domain, opened=True), exp.column(ID)
    made = words(value, domain, encoding, nullable=False)
    read = [(ID, exp.column(person, quoted=True))]
    return _Delivered(BitsColumn(ID, encoding.bits, False, encoding.low), read, made)


def _hash_of(column: str, name: str, values: list[exp.Expr], bits: int = KEY_BITS) -> _Delivered:
    """Return the keyed hash of several values, NULL if one is missing."""
    said = constant(f"{name}.{column}")
    text = reduce(lambda a, b: _joined(_joined(a, _between()), b), values, said)
    made = hashed(exp.column(column), bits)
    return _Delivered(BitsColumn(column, bits, True), [(column, text)], made, column)


def _text(name: str, form: Form) -> exp.Expr:
    """Write the clean text of a form; of two fields the smaller one first."""
    first, *other = (exp.column(one.column(name), quoted=True) for one in parts_of(form))
    if not other:
        return first
    second = other[0]
    upwards = _joined(_joined(first, _between()), second)
    downwards = _joined(_joined(second.copy(), _between()), first.copy())
    ordered = exp.LTE(this=first.copy(), expression=second.copy())
    return exp.Case(ifs=[exp.If(this=ordered, true=upwards)], default=downwards)


def _joined(first: exp.Expr, second: exp.Expr) -> exp.Expr:
    return exp.DPipe(this=first, expression=second)


def _between() -> exp.Expr:
    return function("chr", constant(_BETWEEN))


def _features(column: str, name: str, one: Compared) -> _Delivered:
    names = [f"{column}_{word}" for word in range(one.words)]
    read = [
        (found, exp.column(one.column(name, word), quoted=True)) for word, found in enumerate(names)
    ]
    made = [exp.column(found) for found in names]
    return _Delivered(BitsColumn(column, one.bits, True), read, made, names[0])
