"""Propagations on shares: as on plain rows, alike on the wires whatever the rows are."""

from pathlib import Path
from typing import Any

import flows
import numpy as np
import numpy.typing as npt
import pytest
from in_memory import run_on_shares

from cleanroom.errors import DataMismatch, PeerMisbehaved
from cleanroom.plan.plan import Plan
from cleanroom.query.compile import compile_query
from cleanroom.query.finish import finish
from cleanroom.sources.database import Database
from cleanroom.sql.propagation import statement
from protocols.simulate import Transcript


def plan_of(kind: str, recipient: str = "bank_a", rounds: int = 2) -> Plan:
    text = statement(kind, "risk", rounds)  # type: ignore[arg-type]
    return compile_query(text, flows.terms(), "0" * 64, recipient)


@pytest.mark.parametrize("bank", flows.BANKS)
def test_scores_are_those_of_the_pooled_payments(bank: str, tmp_path: Path) -> None:
    data, plan = flows.rows(), plan_of("propagate", bank)
    found = finish(plan, run_on_shares(plan, flows.stored(data, tmp_path)).columns).to_pandas()
    expected = flows.pooled_scores(data, 2)
    assert found["account"].tolist() == sorted(data["accounts"][bank]["iban"])
    pooled = [expected[name] for name in found["account"]]
    np.testing.assert_allclose(found["score"], pooled, rtol=1e-4, atol=1e-9)
    assert np.count_nonzero(pooled) > 10


def test_reached_are_those_of_the_pooled_payments(tmp_path: Path) -> None:
    data, plan = flows.rows(), plan_of("reach", "bank_b")
    found = finish(plan, run_on_shares(plan, flows.stored(data, tmp_path)).columns)
    kept = set(data["accounts"]["bank_b"]["iban"])
    assert set(found["account"].to_pylist()) == flows.pooled_reach(data, 2) & kept
    assert 0 < found.num_rows < len(kept)


def test_an_account_at_two_banks_opens_nothing(tmp_path: Path) -> None:
    data = flows.rows()
    data["accounts"]["bank_c"].loc[0, "iban"] = data["accounts"]["bank_b"].loc[0, "iban"]
    with pytest.raises(DataMismatch, match="an account is kept by two members"):
        run_on_shares(plan_of("propagate"), flows.stored(data, tmp_path))


def test_what_is_sent_depends_on_sizes_alone(tmp_path: Path) -> None:
    other = flows.rows(7)
    for part in other["accounts"].values():
        part["score"] = 0.0
    for part in other["payments"].values():
        part["src"] = part["src"].iloc[0]
    sent = []
    for place, data in enumerate((flows.rows(), other)):
        (folder := tmp_path / str(place)).mkdir()
        transcript = Transcript()
        run_on_shares(plan_of("propagate"), flows.stored(data, folder), transcript)
        sent.append([sorted(sends) for sends in transcript.rounds])
    assert sent[0] == sent[1]


def test_rows_in_no_order_are_refused(tmp_path: Path) -> None:
    class Lying(Database):
        def run(self, sql: str, text_key: bytes) -> dict[str, npt.NDArray[Any]]:
            found = super().run(sql, text_key)
            return {name: v * 0 if name == "place" else v for name, v in found.items()}

    owners = flows.stored(flows.rows(), tmp_path)
    owners["bank_b"].__class__ = Lying
    with pytest.raises(PeerMisbehaved, match="aren't numbered one by one"):
        run_on_shares(plan_of("propagate"), owners)
