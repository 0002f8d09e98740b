"""An owner's rows as the file that its app reads: Parquet, one column a feature.

Rule: the file holds what the job's SELECT gave and nothing else. Category codes become their
values again, missing values NULL. An app finds its path in `context.node_config["data"]`.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cleanroom.learning.facts import Column, Facts, Floats, Rows

NAME = "rows.parquet"


def write(folder: Path, facts: Facts, rows: Rows) -> None:
    """Write the rows of a training into a folder, under `NAME`."""
    columns = [(column, rows.features[column.name]) for column in facts.features]
    for column, values in (facts.target, rows.target), (facts.time, rows.time):
        if column is not None and values is not None:
            columns.append((column, values))
    table = pa.table({column.name: _array(column, values) for column, values in columns})
    pq.write_table(table, folder / NAME)


def _array(column: Column, values: Floats) -> pa.Array:
    absent = np.isnan(values) | ((values == -1) & (column.kind == "category"))
    if column.kind == "number":
        return pa.array(values, mask=absent)
    codes = pa.array(np.where(absent, 0, values).astype(np.int32), mask=absent)
    return pa.array(column.values, pa.string()).take(codes)
