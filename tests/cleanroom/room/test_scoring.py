"""Scores of one member's rows under another's model, in rooms of real processes."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scoring
from scoring import MODEL, TABLE
from typer.testing import CliRunner

from cleanroom import LocalRoom
from cleanroom.cli import app
from cleanroom.config import MemberConfig
from cleanroom.errors import (
    CleanroomError,
    DataMismatch,
    ModelMismatch,
    PeerUnavailable,
    PolicyDenied,
    TableErased,
    UnknownName,
    UnsupportedQuery,
)
from cleanroom.lifecycle.forgotten import forget
from cleanroom.storage.state import State


@pytest.fixture(scope="module")
def room() -> Iterator[LocalRoom]:
    with LocalRoom(scoring.contract(), scoring.data(), models=scoring.models()) as opened:
        yield opened


def test_scores_are_those_of_plain_rows_under_the_plain_model(room: LocalRoom) -> None:
    rows = scoring.accounts()
    result = room.score(model=MODEL, table=TABLE)
    found = result.to_pandas()
    assert list(found.columns) == ["customer", "score"]
    assert found["customer"].tolist() == rows["customer"].tolist()
    np.testing.assert_allclose(found["score"], scoring.expected(rows), rtol=0, atol=1.1e-4)
    assert (found["score"] != scoring.expected(rows)).mean() < 0.001  # weights had six decimals
    assert result.stats.rows == len(rows)
    assert result.stats.bytes_sent > 8 * 200_000  # two blocks of three columns, two answers


def test_both_members_sign_what_they_did(room: LocalRoom) -> None:
    statements = room.score(model=MODEL, table=TABLE).receipt.verify(room.contract)
    assert [(s.kind, s.speaker) for s in statements] == [
        ("request", "bank_a"),
        ("ruling", "bank_b"),
        ("finished", "bank_b"),
    ]
    assert statements[0].plan_hash == room.explain_score(model=MODEL, table=TABLE).plan_hash


def test_the_sheet_says_who_learns_what(room: LocalRoom) -> None:
    sheet = room.explain_score(model=MODEL, table=TABLE)
    assert sheet.opened == (
        f"score = the logistic model {MODEL} of age, balance, frozen, to 4 decimals, for each row, "
        "to bank_a",
    )
    (extraction,) = [leak for leak in sheet.leaks if "intercept" in leak]
    assert "3 weights and intercept, from the scores of any 4 rows" in extraction
    assert f"{TABLE}.balance: score" in sheet.text
    assert not any(str(weight) in sheet.text for weight in scoring.WEIGHTS.values())


def test_no_log_holds_a_weight_or_a_person(room: LocalRoom) -> None:
    room.score(model=MODEL, table=TABLE)
    said = "\n".join(line for worker in room.workers.values() for line in worker.log)
    assert "finished" in said
    weights = [*scoring.WEIGHTS.values(), scoring.INTERCEPT]
    written = {form(abs(weight)) for weight in weights for form in (str, "{:.6f}".format)}
    for canary in (*written, scoring.accounts()["customer"][0]):
        assert canary not in said


def test_an_owner_of_a_federated_table_has_its_own_part_scored() -> None:
    data, models = scoring.data(3), scoring.models()
    with LocalRoom(scoring.contract(), data, models=models, recipient="shop") as room:
        found = room.score(model="bank_b.ages", table="visits").to_pandas()
        assert found.to_dict("list") == {"person": [0, 1, 2], "score": [-0.27, -10.47, 2.0]}
        with pytest.raises(UnsupportedQuery, match=f"shop holds no rows of {TABLE}"):
            room.score(model=MODEL, table=TABLE)
        for _ in range(15):
            room.score(model="bank_b.ages", table="visits")
        with pytest.raises(PolicyDenied, match="3 rows to score after 48 today") as caught:
            room.score(model="bank_b.ages", table="visits")
        assert caught.value.party == "bank_b"
        shop = MemberConfig.load(room.workers["shop"].config)
        with State.open(shop.state, shop.keys, room.contract.terms.room.name) as state:
            forget(state, "visits", ["1"])
            left = room.score(model="bank_b.ages", table="visits").to_pandas()
            assert left["person"].tolist() == [0, 2]
            state.rekey(without="visits")
            with pytest.raises(TableErased, match="visits"):
                room.score(model="bank_b.ages", table="visits")


def test_what_the_room_does_not_have_is_refused_by_name(room: LocalRoom) -> None:
    with pytest.raises(UnknownName, match=r"no model 'bank_b.rsk'") as caught:
        room.score(model="bank_b.rsk", table=TABLE)
    assert MODEL in caught.value.remedy
    with pytest.raises(UnknownName, match=r"no table 'bank_a.acounts'") as caught:
        room.score(model=MODEL, table="bank_a.acounts")
    assert TABLE in caught.value.remedy
    with pytest.raises(UnsupportedQuery, match="visits has no column 'balance'"):
        room.score(model=MODEL, table="visits")
    with pytest.raises(PolicyDenied, match=r"bank_b.ages may not score visits for bank_a"):
        room.score(model="bank_b.ages", table="visits")


def test_a_model_owner_that_is_away_is_named(room: LocalRoom) -> None:
    worker = room.workers["bank_b"]
    worker.kill()
    with pytest.raises(PeerUnavailable) as caught:
        room.score(model=MODEL, table=TABLE)
    assert caught.value.party == "bank_b"
    worker.start()
    worker.wait_ready(60)
    assert len(room.score(model=MODEL, table=TABLE).to_pandas()) == scoring.ROWS


def test_no_rows_are_not_scored() -> None:
    with (
        LocalRoom(scoring.contract(), scoring.data(0), models=scoring.models()) as room,
        pytest.raises(DataMismatch, match="has no rows to score"),
    ):
        room.score(model=MODEL, table=TABLE)


def test_more_rows_than_agreed_are_refused() -> None:
    agreed = scoring.contract(max_rows=10, max_rows_per_day=10)
    with (
        LocalRoom(agreed, scoring.data(11), models=scoring.models()) as room,
        pytest.raises(PolicyDenied, match=r"11 rows to score; bank_b.risk scores 10 at most"),
    ):
        room.score(model=MODEL, table=TABLE)


def test_rows_of_a_day_are_counted_whatever_becomes_of_the_process() -> None:
    agreed = scoring.contract(max_rows=3, max_rows_per_day=5)
    with LocalRoom(agreed, scoring.data(3), models=scoring.models()) as room:
        room.score(model=MODEL, table=TABLE)
        worker = room.workers["bank_b"]
        worker.stop()
        worker.start()
        worker.wait_ready(60)
        with pytest.raises(PolicyDenied, match=r"3 rows to score after 3 today"):
            room.score(model=MODEL, table=TABLE)


def _changed(**change: object) -> dict[str, Any]:
    return {**copy.deepcopy(scoring.models()[MODEL]), **change}


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (None, f"model {MODEL} has no file"),
        ("none.json", "cannot be read"),
        (_changed(extra=1), "extra: unknown key"),
        (_changed(intercept=float("nan")), "intercept"),
        (_changed(intercept=10.5), "intercept: beyond max_weight"),
        (_changed(weights={"age": 0.1, "balance": 0.1}), "weights.frozen: missing"),
    ],
)
def test_a_room_does_not_open_with_a_model_that_does_not_fit(model: object, says: str) -> None:
    models = scoring.models()
    models[MODEL] = model
    if model is None:
        del models[MODEL]
    with (
        pytest.raises(ModelMismatch, match=says) as caught,
        LocalRoom(scoring.contract(), scoring.data(3), models=models),
    ):
        pass
    assert caught.value.party == "bank_b"


def test_a_model_that_nobody_agreed_on_is_refused() -> None:
    with pytest.raises(UnknownName, match=r"bank_b.other"):
        LocalRoom(scoring.contract(), scoring.data(3), models={"bank_b.other": {}})


def test_the_command_scores_and_explains(room: LocalRoom, tmp_path: Path) -> None:
    config = str(room.workers["bank_a"].config)
    words = ["score", MODEL, TABLE, "--config", config]
    done = CliRunner().invoke(app, [*words, "--explain"])
    assert "Also learned" in done.output
    assert "bank_b accepts" in done.output
    output, receipt = tmp_path / "scores.csv", tmp_path / "receipt.json"
    done = CliRunner().invoke(app, [*words, "--output", str(output), "--receipt", str(receipt)])
    assert done.exit_code == 0, done.output
    rows = scoring.accounts()
    found = pd.read_csv(output)
    assert found["customer"].tolist() == rows["customer"].tolist()
    np.testing.assert_allclose(found["score"], scoring.expected(rows), rtol=0, atol=1.1e-4)
    assert receipt.read_text().startswith("{")
    with pytest.raises(CleanroomError):
        CliRunner().invoke(app, ["score", "x", TABLE, "--config", config], catch_exceptions=False)
