"""What a query gave its recipient, as rows for further work, with everybody's signatures."""

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cleanroom.plan.withheld import Withheld
from cleanroom.query.frame import as_pandas
from cleanroom.recipient.answers import Answer, Stats
from cleanroom.session.receipt import Receipt

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from cleanroom.recipient.privacy import Errors


class Result:
    """What a query opened, to its recipient alone.

    Attributes:
        suppressed: groups withheld; withheld: these and small counts, and by which rules.
        receipt: what every member signed about this session.
        stats: seconds, rounds, bytes_sent, rows.
        without: members whose rows were left out, as the query asked.
        privacy: how it was released: "kind" and "threshold" of persons; of a noisy result
            "epsilon", "delta" and the "standard_errors" of what was opened, too.
        standard_errors: of each noisy column of the result: one number where it is the same in
            each row, or one for each row, as of AVG; infinite where noise may have made up the
            value altogether. Empty where answers are exact.
        more: whether a gate has more matching rows than it opens.
        stored: when it was opened (UTC), if the same question was answered before and this costs
            nothing; None if it was opened now.
    """

    def __init__(self, answer: Answer) -> None:
        self._table = answer.table
        self.withheld: Withheld = answer.withheld
        self.suppressed: int = answer.withheld.groups
        self.receipt: Receipt = answer.receipt
        self.stats: Stats = answer.stats
        self.without: tuple[str, ...] = answer.without
        self.privacy: Mapping[str, Any] = answer.privacy
        self.standard_errors: Mapping[str, Errors] = answer.standard_errors
        self.more: bool = answer.more
        self.stored: dt.datetime | None = answer.stored

    def to_arrow(self) -> "pa.Table":
        """Return the rows in their exact types: DECIMAL, and whole numbers of any size.

        For sums of money, which float64 may round, and for Parquet or Polars.
        """
        return self._table

    def to_pandas(self) -> "pd.DataFrame":
        """Return the rows as DuckDB's `df()` does: DECIMAL as float64, NULL as NaN or None.

        Whole numbers beyond 2^53 next to NULLs come as Int64: float64 would round them.
        """
        return as_pandas(self._table)

    def __repr__(self) -> str:
        stored = "" if self.stored is None else f", stored={self.stored:%Y-%m-%d %H:%M} UTC"
        return f"Result(rows={self._table.num_rows}, suppressed={self.suppressed}{stored})"
