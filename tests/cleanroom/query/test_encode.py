"""Constants compared with encoded columns keep their truth, at and beyond every edge."""

from decimal import Decimal
from typing import Literal

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanroom.contract.types import Kind
from cleanroom.errors import OverflowPossible
from cleanroom.sql import domain as domains
from cleanroom.sql import operators
from cleanroom.sql.domain import Domain, text_of
from cleanroom.sql.encode import Encoding, choose, compare_constant
from cleanroom.sql.expr import Expr

Op = Literal["<", "<=", ">", ">=", "=", "<>"]
OPS = st.sampled_from(["<", "<=", ">", ">=", "=", "<>"])
WORDS = ["", "a", "ab", "b", "bé", "c"]


def _holds(op: str, a: object, b: object) -> bool:
    return bool(
        {
            "<": a < b,  # type: ignore[operator]
            "<=": a <= b,  # type: ignore[operator]
            ">": a > b,  # type: ignore[operator]
            ">=": a >= b,  # type: ignore[operator]
            "=": a == b,
            "<>": a != b,
        }[op]
    )


@given(OPS, st.integers(-30, 30), st.integers(-400, 400))
def test_numbers(op: Op, encoded: int, constant: int) -> None:
    encoding = choose(Domain(Kind.DECIMAL, -30, 30, 1))
    value = Decimal(constant).scaleb(-2)
    bits_op, bound = compare_constant(op, value, encoding)
    expected = _holds(op, Decimal(encoded).scaleb(-1), value)
    assert _holds(bits_op, encoded + 30, bound) == expected
    assert 0 <= bound < 1 << encoding.bits


@given(OPS, st.sampled_from(WORDS[1:]), st.text("abcé", max_size=3))
def test_declared_texts(op: Op, text: str, constant: str) -> None:
    encoding = choose(text_of(WORDS[1:]))
    bits_op, bound = compare_constant(op, constant, encoding)
    code = encoding.domain.values.index(text)
    assert _holds(bits_op, code, bound) == _holds(op, text.encode(), constant.encode())


@given(OPS, st.sampled_from(WORDS), st.text("abcé", max_size=5))
def test_texts_as_bytes(op: Op, text: str, constant: str) -> None:
    encoding = Encoding("bytes", Domain(Kind.TEXT, max_bytes=3))
    bits_op, bound = compare_constant(op, constant, encoding)
    encoded = int.from_bytes(text.encode().ljust(3, b"\0"), "big")
    assert _holds(bits_op, encoded, bound) == _holds(op, text.encode(), constant.encode())


SMALL = st.tuples(st.integers(-50, 50), st.integers(0, 40)).map(
    lambda p: Domain(Kind.INTEGER, p[0], p[0] + p[1])
)


@given(SMALL, SMALL, st.data())
def test_intervals_hold_every_result(a: Domain, b: Domain, data: st.DataObject) -> None:
    x = data.draw(st.integers(a.low, a.high))
    y = data.draw(st.integers(b.low, b.high))
    for result, value in (
        (domains.add(a, b), x + y),
        (domains.multiply(a, b), x * y),
        (domains.negate(a), -x),
        (domains.union((a, b)), y),
    ):
        assert result.low <= value <= result.high


@given(SMALL, SMALL)
def test_whole_quotients_lie_in_the_smallest_interval(a: Domain, b: Domain) -> None:
    columns = (Expr("column", (), domain, (0, "x")) for domain in (a, b))
    found = operators.arithmetic("//", *columns).domain
    pairs = [(x, y) for x in range(a.low, a.high + 1) for y in range(b.low, b.high + 1) if y]
    quotients = [int(Decimal(x) / Decimal(y)) for x, y in pairs] or [0]
    assert (found.low, found.high) == (min(quotients), max(quotients))
    assert found.nullable == (b.low <= 0 <= b.high)


def test_whole_quotients_are_those_of_duckdb() -> None:
    pairs = [(-7, 2), (7, -2), (-7, -2), (7, 2), (-1, 3)]
    found = duckdb.sql("SELECT " + ", ".join(f"({x}) // ({y})" for x, y in pairs))
    (found,) = found.fetchall()
    assert found == tuple(int(Decimal(x) / Decimal(y)) for x, y in pairs)


def test_a_product_beyond_62_bits_is_refused() -> None:
    wide = Domain(Kind.INTEGER, 0, 1 << 31)
    assert domains.multiply(wide, Domain(Kind.INTEGER, 0, 1 << 30)).high == 1 << 61
    with pytest.raises(OverflowPossible):
        domains.multiply(wide, wide)
