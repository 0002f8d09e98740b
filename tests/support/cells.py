"""A room with one table of persons, a value each, in up to two groupings: for release rules."""

from pathlib import Path
from typing import Any

import pandas as pd
from heads import head

from cleanroom.contract.terms import Terms
from cleanroom.sources.database import Database

OWNERS = ("alpha", "beta", "gamma")
RIGHTS = {"analyst": ["group", "count", "sum", "avg", "filter", "min", "max", "quantile"]}


def terms(largest: int = 10**6, **privacy: Any) -> Terms:
    """Return terms of `alpha.t (id, k, j, h, x)`: keys of up to 16 values, x up to `largest`."""
    person = {"type": "INTEGER", "bounds": [0, 4000], "rights": {"analyst": ["count"]}}
    key = {"type": "INTEGER", "bounds": [0, 15], "rights": RIGHTS}
    value = {"type": "INTEGER", "bounds": [0, largest], "rights": RIGHTS}
    computing = {
        name: {"roles": ["input", "computing"], "address": f"127.0.0.1:{7501 + i}"}
        for i, name in enumerate(OWNERS)
    }
    return Terms.of(
        {
            **head("cells", 7500),
            "members": {**computing, "analyst": {"roles": ["result"]}},
            "privacy": {"release": "sdc", "complementary": "off", **privacy},
            "tables": {
                "alpha.t": {
                    "person": "id",
                    "max_rows_per_person": 1,
                    "max_rows": 4000,
                    "columns": {"id": person, "k": key, "j": key, "h": key, "x": value},
                }
            },
        }
    )


def databases(folder: Path, frame: pd.DataFrame, agreed: Terms) -> dict[str, Database]:
    """Return each owner's database, for rows of k, j, h and x."""
    rows = pd.DataFrame({"id": range(len(frame)), "k": 0, "j": 0, "h": 0, "x": 0}).astype(int)
    rows[list(frame.columns)] = frame.to_numpy()
    path = folder / "t.csv"
    rows.to_csv(path, index=False)
    tables = {"alpha": {"alpha.t": path}}
    return {owner: Database(agreed, owner, tables.get(owner, {})) for owner in OWNERS}
