"""All rules of disclosure control at once, in a room of processes: what a recipient is told."""

from typing import Any

import numpy as np
import pandas as pd
import rooms
from heads import head

from cleanroom import LocalRoom
from cleanroom.cli.answers import summary

RULES = {"min_group": 10, "min_members": 2, "redact": 12, "round_to": 5, "top_two": 90}
SQL = "SELECT city, COUNT(*) AS n, AVG(amount) AS a FROM sales GROUP BY city ORDER BY city"
CITIES = ("Bath", "Hull", "Leeds", "Ripon", "Wells", "York")


def contract() -> dict[str, Any]:
    rights = {"analyst": ["group", "count", "sum", "avg"]}
    computing = {
        name: {"roles": ["input", "computing"], "address": f"127.0.0.1:{7601 + i}"}
        for i, name in enumerate(rooms.OWNERS)
    }
    columns = {
        "id": {"type": "INTEGER", "bounds": [0, 9999], "rights": rights},
        "city": {"type": "TEXT", "values": list(CITIES), "rights": rights},
        "amount": {"type": "INTEGER", "bounds": [0, 10**6], "rights": rights},
    }
    table = {"members": list(rooms.OWNERS), "person": "id", "max_rows": 512, "columns": columns}
    return {
        **head("disclosure", 7600),
        "members": {**computing, "analyst": {"roles": ["result"]}},
        "privacy": {"release": "sdc", "p_percent": 10, **RULES},
        "tables": {"sales": table},
    }


def rows() -> dict[str, pd.DataFrame]:
    """Return cities: small, large, of one member alone, dominated, of few rows, and of more."""
    sizes = {"Bath": (3, 2, 2), "Hull": (20, 21, 21), "Leeds": (30, 0, 0)}
    sizes |= {"Ripon": (20, 20, 20), "Wells": (4, 4, 4), "York": (5, 6, 7)}
    parts = {}
    for place, owner in enumerate(rooms.OWNERS):
        cities = [city for city, n in sizes.items() for _ in range(n[place])]
        ids = np.arange(len(cities)) + 1000 * place
        amounts = np.where(np.array(cities) == "Hull", 101, 100)
        parts[owner] = pd.DataFrame({"id": ids, "city": cities, "amount": amounts})
    first = parts["alpha"]
    first.loc[first.index[first["city"] == "Ripon"][0], "amount"] = 900_000
    return parts


def test_every_rule_withholds_its_groups_and_the_result_says_how_many() -> None:
    with LocalRoom(contract(), {"sales": rows()}) as room:
        sheet = room.explain(SQL)
        assert "instead on ciphertexts" not in sheet.text
        assert "not on ciphertexts: on ciphertexts analyst opens every cell" in sheet.text
        result = room.sql(SQL)
    found = result.to_pandas()
    # Bath has 7 persons, Leeds one member's rows, Ripon one person's sum; together they are many.
    assert found["city"].tolist() == ["Hull", "Wells", "York"]
    assert found["n"].isna().tolist() == [False, True, False]
    assert found["n"].dropna().tolist() == [60, 20]  # of 62 and 18
    assert found["a"].dropna().tolist() == [62 * 101 / 60, 18 * 100 / 20]
    assert (result.suppressed, result.withheld.groups, result.withheld.counts) == (3, 3, 1)
    told = "too few persons, rows of too few members, dominated by few or to protect others"
    assert f"3 groups withheld: {told}; small counts withheld: 1" in summary(result)
    for line in ("counts up to 12 are withheld", "at least 2 of them", "at most 90 % of a sum"):
        assert line in sheet.text
