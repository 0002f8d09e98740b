"""A researcher who owns nothing asks a newspaper and three shops about a campaign."""

from pathlib import Path

import duckdb
import pandas as pd

from cleanroom import LocalRoom
from examples.analyst.data import Rows, rows

HERE = Path(__file__).parent
OVERLAP = """\
SELECT r.age, COUNT(*) AS customers
FROM paper.readers AS r JOIN customers AS c ON r.person = c.person
GROUP BY r.age ORDER BY r.age"""


def main(data: Path | None, output: Path) -> bool:
    """Run the study; return whether every answer is that of the pooled plaintext."""
    tables = rows(data)
    with LocalRoom(HERE / "room.toml", tables) as room:
        print(room.explain(OVERLAP).text)
        result = room.sql(OVERLAP).to_pandas()
    print(result.to_string(index=False))
    same = result.astype(object).equals(in_the_clear(tables, OVERLAP).astype(object))
    print(f"equal: {'yes' if same else 'NO'}")
    return same


def in_the_clear(tables: Rows, sql: str) -> pd.DataFrame:
    """Answer as if one party had all rows."""
    pooled = duckdb.connect()
    pooled.execute("CREATE SCHEMA paper")
    pooled.register("given_customers", pd.concat(tables["customers"].values()))
    pooled.register("given_readers", tables["paper.readers"])
    pooled.execute("CREATE TABLE customers AS FROM given_customers")
    pooled.execute("CREATE TABLE paper.readers AS FROM given_readers")
    answer: pd.DataFrame = pooled.sql(sql).df()
    return answer
