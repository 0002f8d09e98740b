"""Propagations in a room of three banks' processes: whose scores, how often, and the commands."""

from collections.abc import Iterator
from pathlib import Path

import flows
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from cleanroom.cli import app
from cleanroom.errors import PolicyDenied, UnsupportedQuery
from cleanroom.local.room import LocalRoom


@pytest.fixture(scope="module")
def room() -> Iterator[LocalRoom]:
    policies = {"bank_c": {"recipients": ["bank_a", "supervisor"]}}
    contract, data = flows.contract(per_day=3), flows.rows()
    with LocalRoom(contract, data, recipient="bank_a", policies=policies) as room:
        yield room


def test_a_bank_gets_the_scores_of_its_own_accounts(room: LocalRoom) -> None:
    result = room.propagate("risk", rounds=2)
    found, expected = result.to_pandas(), flows.pooled_scores(flows.rows(), 2)
    assert found["account"].tolist() == sorted(flows.rows()["accounts"]["bank_a"]["iban"])
    pooled = [expected[name] for name in found["account"]]
    np.testing.assert_allclose(found["score"], pooled, rtol=1e-4, atol=1e-9)
    assert result.privacy == {"kind": "propagation", "threshold": 1}
    assert len(result.receipt.statements) == 1 + 3 + 6  # request, rulings, reports


def test_the_sheet_says_who_learns_what(room: LocalRoom) -> None:
    sheet = room.explain_propagate("risk", rounds=4)
    assert sheet.accepted
    assert "bank_a gets scores of the accounts that it keeps itself, and of no others" in sheet.text
    assert "2 times: score" not in sheet.text
    assert "4 times: score = 0.5 score + 0.5 of what flows in" in sheet.text
    assert "whether two members keep one account (the session then fails)" in sheet.text
    assert "propagation: scores of own accounts" in sheet.text
    assert not room.explain_reach("risk", hops=5).accepted


def test_a_member_refuses_for_itself(room: LocalRoom) -> None:
    with room.as_member("bank_b") as bank, pytest.raises(PolicyDenied) as refused:
        bank.propagate("risk")
    assert refused.value.party == "bank_c"
    refusal = pytest.raises(UnsupportedQuery, match="which keeps no accounts")
    with room.as_member("supervisor") as supervisor, refusal:
        supervisor.reach("risk")


def test_the_commands_ask_and_explain(room: LocalRoom, tmp_path: Path) -> None:
    config = room.workers["bank_a"].config
    rows = tmp_path / "rows.csv"
    for words in (
        ("propagate", "risk", "--rounds", "3", "--explain"),
        ("reach", "risk", "--hops", "1", "--output", str(rows)),
    ):
        done = CliRunner().invoke(app, [*words, "--config", str(config)])
        assert done.exit_code == 0, done.output
        assert ("Rulings of the members" in done.output) == ("--explain" in words)
    reached = flows.pooled_reach(flows.rows(), 1)
    kept = reached & set(flows.rows()["accounts"]["bank_a"]["iban"])
    assert set(pd.read_csv(rows)["account"]) == kept


def test_nobody_asks_oftener_than_all_signed(room: LocalRoom) -> None:
    room.reach("risk", hops=1)  # beside the two above
    with pytest.raises(PolicyDenied, match="asked propagation risk 3 times today; 3 are allowed"):
        room.propagate("risk")
