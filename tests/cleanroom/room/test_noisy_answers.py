"""Noisy queries in a room of real processes: charged durably, opened with noise, refused after."""

from collections.abc import Iterator

import noisy
import numpy as np
import pandas as pd
import pytest

from cleanroom import LocalRoom
from cleanroom.budget.ledger import Ledger
from cleanroom.config import MemberConfig
from cleanroom.storage.state import State

SQL = "SELECT kind, COUNT(*) AS n, SUM(amount) AS total FROM claims GROUP BY kind ORDER BY kind"


@pytest.fixture(scope="module")
def rows() -> dict[str, object]:
    return noisy.rows()


@pytest.fixture(scope="module")
def room(rows: dict[str, object]) -> Iterator[LocalRoom]:
    with LocalRoom(noisy.contract(), rows) as opened:
        yield opened


def spent(room: LocalRoom, table: str = "claims") -> list[float]:
    """Return each owner's share of its budget that is spent."""
    shares = []
    for name in noisy.OWNERS:
        config = MemberConfig.load(room.workers[name].config)
        with State.open(config.state, config.keys, room.contract.terms.room.name) as state:
            found = [one for one in Ledger(state).spent() if one.scope.table == table]
        shares.append(float(found[0].spent / found[0].allowed) if found else 0.0)
    return shares


@pytest.mark.parametrize("protocol", ["mpc", "he"])
def test_every_cell_is_opened_with_noise(
    room: LocalRoom, rows: dict[str, object], protocol: str
) -> None:
    before = spent(room)
    result = room.sql(SQL, protocol=protocol, epsilon=0.5)
    found = result.to_pandas()
    assert list(found.kind.fillna("none")) == [*noisy.KINDS, "none"]  # also of kinds without rows
    pooled = pd.concat(rows["claims"].values())
    exact = pooled.groupby("kind", dropna=False).amount.agg(["size", "sum"])
    exact = exact.reindex([*noisy.KINDS, np.nan], fill_value=0)
    for column, truth in (("n", exact["size"]), ("total", exact["sum"])):
        error = result.standard_errors[column]
        off = found[column].to_numpy(float) - truth.to_numpy()
        assert (abs(off) < 6 * error).all()
        assert (off != 0).any()
    assert result.privacy["epsilon"] == 0.5
    assert result.privacy["standard_errors"]["COUNT(*)"] == result.standard_errors["n"]
    after = spent(room)
    assert all(a == pytest.approx(b + 0.017, abs=0.004) for a, b in zip(after, before, strict=True))
    assert "standard error" in room.explain(SQL, protocol=protocol, epsilon=0.5).text
