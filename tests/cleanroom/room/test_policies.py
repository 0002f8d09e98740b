"""A room whose contract names purposes, and whose members have policies and memories."""

from collections.abc import Iterator
from typing import Any

import pytest
import rooms

from cleanroom import LocalRoom
from cleanroom.errors import PolicyDenied

TOTAL = "SELECT COUNT(*) FROM transactions"
COMPARED = (
    "SELECT COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid AND p.score < c.level"
)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRoom]:
    contract: dict[str, Any] = rooms.room(1, overlap="refused", max_comparisons=2)
    contract["room"]["purposes"] = {"fraud": "find fraud", "care": "plan care"}
    other = contract["tables"]["transactions"]["columns"]["other"]
    other["rights"] = {"analyst": {"fraud": ["sum"], "care": []}}
    policies = {
        "beta": {"purposes": ["fraud"], "columns": {"transactions.amt": {"without": ["max"]}}},
        "alpha": {"max_comparisons": 1},
    }
    data = rooms.given(tmp_path_factory.mktemp("rows"))
    with LocalRoom(contract, data, policies=policies) as opened:
        yield opened


def denied(room: LocalRoom, sql: str, purpose: str = "fraud", **asked: Any) -> str:
    with pytest.raises(PolicyDenied) as caught:
        room.sql(sql, purpose=purpose, **asked)
    return str(caught.value)


def test_every_refusal_of_every_member_comes_at_once(room: LocalRoom) -> None:
    sql = "SELECT MAX(amt), SUM(other) FROM transactions"
    said = denied(room, sql, "care")
    assert "beta takes no part in what is asked for care [policy.purposes]" in said
    assert "column transactions.amt used as 'max' [policy.columns.transactions.amt.without]" in said
    assert "used as 'sum' without that right for analyst and care; allowed: nothing" in said
    missing = denied(room, TOTAL, "")
    assert "no purpose is named [room.purposes]" in missing
    assert "Ask for one of the contract's: fraud, care." in missing


def test_each_owner_remembers_which_rows_were_asked_about(room: LocalRoom) -> None:
    high = room.sql(f"{TOTAL} WHERE amt >= 5000", purpose="fraud", protocol="he")
    room.explain(TOTAL, purpose="fraud")  # rules, and counts nothing
    low = room.sql(f"{TOTAL} t WHERE 5000 > t.amt AND 1 = 1", purpose="fraud")
    n = high.to_arrow().column(0)[0].as_py() + low.to_arrow().column(0)[0].as_py()
    assert n == sum(map(len, rooms.rows()["transactions"].values()))
    for sql in (TOTAL, f"{TOTAL} WHERE amt >= 5001"):
        said = denied(room, sql)
        assert "alpha: rows of transactions may overlap with others that analyst asked" in said
        assert "GROUP BY the condition" in said
    again = room.sql(f"{TOTAL} WHERE 5000 <= amt", purpose="fraud", protocol="he")
    assert again.to_arrow() == high.to_arrow()


def test_comparisons_run_out_at_the_strictest_member(room: LocalRoom) -> None:
    room.sql(COMPARED, purpose="fraud")
    said = denied(room, COMPARED)
    assert "alpha: column alpha.people.score was compared in 1 questions of analyst" in said
    assert "[policy.max_comparisons]" in said
