"""An answer for pandas: the types that analysts expect, and no digit lost on the way.

Rule: pure functions from Arrow to pandas, whole columns at a time.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_EXACT = 1 << 53  # float64 holds every whole number up to here


def as_pandas(answer: "pa.Table") -> "pd.DataFrame":
    """Return the answer as DuckDB's own `df()` would, but whole numbers stay whole.

    DECIMAL becomes the nearest float64 and DATE datetime64. A whole column with NULLs becomes
    float64 too, or Int64 if it holds a number beyond 2^53, which float64 would round.
    """
    import pyarrow as pa

    wide: list[int] = []
    for i, column in enumerate(answer.schema):
        values = answer.column(i)
        if pa.types.is_decimal(column.type):
            values = _from_decimal(values)
            answer = answer.set_column(i, column.name, values)
        if pa.types.is_integer(values.type) and values.null_count and _most(values) > _EXACT:
            wide.append(i)
    frame: pd.DataFrame = answer.to_pandas(date_as_object=False)
    for i in wide:
        frame.isetitem(i, _nullable(answer.column(i)))
    return frame


def _from_decimal(values: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """Return int64 if all values are whole and fit, or else the nearest float64."""
    import pyarrow as pa

    if values.type.scale == 0 and _most(values) < 1 << 63:
        return values.cast(pa.int64())
    return values.cast(pa.string()).cast(pa.float64())  # Arrow's direct way rounds twice


def _most(values: "pa.ChunkedArray") -> int:
    """Return the largest distance from zero; 0 if there is no value."""
    import pyarrow.compute as pc

    ends = pc.min_max(values).as_py()
    return max((abs(end) for end in ends.values() if end is not None), default=0)


def _nullable(values: "pa.ChunkedArray") -> Any:
    """Return a pandas column of whole numbers with NA, in the bits that it has."""
    import numpy as np
    import pandas as pd

    missing = values.is_null().to_numpy()
    return pd.arrays.IntegerArray(np.array(values.fill_null(0).to_numpy()), np.array(missing))
