"""The same on pooled plaintext: linkages in pandas, answers in DuckDB, and the truth.

Rule: nobody has all these rows but this comparison. It reads the contract's linkages, and shares
no code with the product.
"""

import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from examples.linkage.data import Rows
from examples.linkage.linking import IDS, linked

REDACT, ROUND_TO = 7, 5


class Pooled:
    """All rows but those of persons who opted out.

    Args:
        true: link by who persons are, which no owner knows, and not by the contract's ladders.

    Attributes:
        tables: by the contract's names.
        linkages: by name, the linked pairs: left_id, right_id, rung.
    """

    def __init__(self, contract: Path, rows: Rows, *, true: bool = False) -> None:
        self._persons = pd.concat(rows.persons.values())
        self.tables = dict(rows.tables)
        for owner, numbers in rows.opted_out.items():
            for name in (name for name in rows.tables if name.startswith(f"{owner}.")):
                own = rows.tables[name]
                self.tables[name] = own[~own["patient"].isin(numbers)]
        declared = tomllib.loads(contract.read_text())["linkages"]
        link = self._true if true else self._linked
        self.linkages = {name: link(**terms) for name, terms in declared.items()}
        self._database = duckdb.connect()
        for name, frame in {**self.tables, **self.linkages}.items():
            if "." in name:
                self._database.execute(f"CREATE SCHEMA IF NOT EXISTS {name.partition('.')[0]}")
            self._database.register("given", frame)
            self._database.execute(f"CREATE TABLE {name} AS FROM given")

    def answer(self, sql: str) -> pd.DataFrame:
        """Answer exactly, as if one party had all rows."""
        answer: pd.DataFrame = self._database.sql(sql).df()
        return answer

    def judged(self, linkage: str, truth: "Pooled", register: str) -> pd.DataFrame:
        """Return the pairs that a linkage finds, then the true ones that it misses.

        Returns:
            of each pair the columns of its row in `register`, the left table, `correct`, and
            `rung`, 0 where it is missed.
        """
        found, true = self.linkages[linkage], truth.linkages[linkage]
        pairs = found.merge(true, on=list(IDS), how="outer", indicator="correct")
        pairs = pairs.assign(
            rung=pairs["rung"].fillna(0).astype(int), correct=pairs["correct"] != "left_only"
        )
        rows = self.tables[register]
        return pairs.merge(rows, left_on="left_id", right_on=rows.columns[0])

    def counted(self, linkage: str, side: str, table: str, keys: list[str]) -> pd.DataFrame:
        """Count the persons of one side of a linkage, as `persons`.

        Args:
            side: left or right; table: that one.
            keys: of the table's columns, `rung` (missing: not linked), and whether `linked`.
        """
        rows, number = self.tables[table], f"{side}_id"
        pairs = self.linkages[linkage][[number, "rung"]].astype({"rung": "Int64"})
        own = rows.merge(pairs, left_on=rows.columns[0], right_on=number, how="left")
        counted = own.assign(linked=own["rung"].notna()).groupby(keys, dropna=False).size()
        return counted.rename("persons").reset_index()

    def _linked(self, left: str, right: str, **terms: Any) -> pd.DataFrame:
        return linked(self.tables[left], self.tables[right], terms)

    def _true(self, left: str, right: str, **_: object) -> pd.DataFrame:
        sides = [
            self.tables[table].iloc[:, 0].rename(name).to_frame()
            for table, name in zip((left, right), IDS, strict=True)
        ]
        sides = [side.assign(person=side.iloc[:, 0].map(self._persons)) for side in sides]
        return sides[0].merge(sides[1], on="person").drop(columns="person")


def quality(pairs: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return how well the pairs of each group are found.

    Args:
        pairs: as `judged` returns them.

    Returns:
        of each group the true pairs (`persons`), those linked, those both, and their shares.
    """
    linked = pairs["rung"] > 0
    marked = pairs.assign(persons=pairs["correct"], linked=linked, hit=pairs["correct"] & linked)
    table = marked.groupby(by)[["persons", "linked", "hit"]].sum()
    return table.assign(
        recall=table["hit"] / table["persons"],
        precision=table["hit"] / table["linked"],
        f1=2 * table["hit"] / (table["persons"] + table["linked"]),
    )


def told(answer: pd.DataFrame, counts: Collection[str]) -> pd.DataFrame:
    """Apply the contract's rules: counts up to 7 withheld, others the nearest multiple of 5."""
    rounded = {
        name: ((answer[name] + ROUND_TO // 2) // ROUND_TO * ROUND_TO)
        .astype("Int64")
        .where(answer[name] > REDACT)
        for name in counts
        if name in answer
    }
    return answer.assign(**rounded)


def same(
    answer: pd.DataFrame, expected: pd.DataFrame, counts: Collection[str], withheld: int
) -> bool:
    """Whether an answer has the expected rows, but for groups withheld, of the number told."""
    keys = [name for name in expected if name not in counts]
    if list(answer) != list(expected) or len(answer) + withheld != len(expected):
        return False
    kept = expected.merge(answer[keys]) if keys else expected
    return _cells(answer) == _cells(kept)


def _cells(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    rows = frame.astype(object).where(frame.notna(), None)
    return [tuple(row) for row in rows.itertuples(index=False)]
