"""What pandas gets is the nearest it can hold; whole numbers are never rounded."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from cleanroom.query.frame import as_pandas

MONEY = pa.decimal128(18, 2)
SUMS = pa.decimal128(38, 0)


def test_a_decimal_becomes_the_nearest_float() -> None:
    cents = np.random.default_rng(7).integers(-(10**15), 10**15, 20_000)
    exact = [Decimal(int(c)).scaleb(-2) for c in [*cents, 49654541, 0, -1]]
    got = as_pandas(pa.table({"x": pa.array(exact, MONEY)}))["x"]
    assert got.tolist() == [float(value) for value in exact]


@pytest.mark.parametrize("kind", [pa.int64(), SUMS])
@pytest.mark.parametrize("value", [2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63) + 1])
def test_a_wide_whole_number_next_to_a_null_is_not_rounded(kind: pa.DataType, value: int) -> None:
    cells = [Decimal(value) if kind is SUMS else value, None]
    got = as_pandas(pa.table({"x": pa.array(cells, kind)}))["x"]
    assert str(got.dtype) == "Int64"
    assert int(got[0]) == value
    assert got.isna().tolist() == [False, True]


def test_other_whole_numbers_come_as_from_duckdb() -> None:
    columns = {
        "few": pa.array([2**53, None]),
        "all": pa.array([2**63 - 1, 1]),
        "none": pa.array([None, None], pa.int64()),
        "huge": pa.array([Decimal(2**70), None], SUMS),
    }
    frame = as_pandas(pa.table(columns))
    assert [str(kind) for kind in frame.dtypes] == ["float64", "int64", "float64", "float64"]
    assert frame["huge"][0] == 2.0**70


def test_two_columns_of_one_name() -> None:
    twice = pa.table([pa.array([2**60 + 1, None]), pa.array([1, 2])], names=["n", "n"])
    frame = as_pandas(twice)
    assert int(frame.iloc[0, 0]) == 2**60 + 1
    assert frame.iloc[:, 1].tolist() == [1, 2]


def test_no_rows() -> None:
    frame = as_pandas(pa.table({"x": pa.array([], MONEY), "y": pa.array([], SUMS)}))
    assert frame.shape == (0, 2)
