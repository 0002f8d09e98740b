"""A room in which a person at one member approves; templates and profiles, which need none."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import rooms
from typer.testing import CliRunner

from cleanroom.cli import app
from cleanroom.errors import ApprovalNeeded, PolicyDenied, TemplateRefused
from cleanroom.local.room import LocalRoom
from cleanroom.recipient.rehearsing import Verdict

SQL = "SELECT channel, COUNT(*) AS n FROM transactions GROUP BY channel"
CLAIMS = "SELECT kind, COUNT(*) AS n FROM beta.claims GROUP BY kind"
TEMPLATE = {
    "sql": "SELECT COUNT(*) AS n FROM transactions WHERE amt < :most",
    "recipients": ["analyst"],
    "parameters": {"most": {"type": "INTEGER", "bounds": [0, 9000]}},
}


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRoom]:
    contract = rooms.room(min_group=2, untested_cells="opened")
    contract["templates"] = {"below": TEMPLATE}
    for table in ("transactions", "beta.claims"):
        contract["tables"][table]["profile"] = ["rows", "missing"]
    own = {"columns": {"transactions.other": {"without": ["sum"]}}}
    policies = {"beta": {"approval": "person"}, "gamma": own}
    data = rooms.given(tmp_path_factory.mktemp("rows"))
    with LocalRoom(contract, data, policies=policies) as opened:
        yield opened


def beta(room: LocalRoom, *words: str) -> str:
    """Do what a person at beta does, while its process runs."""
    done = CliRunner().invoke(
        app, ["approvals", *words, "--config", str(room.workers["beta"].config)]
    )
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


def waiting(room: LocalRoom, sql: str) -> str:
    """Ask in vain; return the hash of the plan that waits."""
    with pytest.raises(ApprovalNeeded) as caught:
        room.sql(sql, protocol="mpc")
    assert caught.value.party == "beta"
    assert "beta: a person at beta has to approve this query" in caught.value.message
    return room.explain(sql, protocol="mpc", offline=True).plan_hash


def test_a_query_runs_once_for_each_approval(room: LocalRoom) -> None:
    plan = waiting(room, SQL)
    assert f"approvals approve {plan[:12]}" in str(room.explain(SQL, protocol="mpc"))
    shown = beta(room, "show", plan[:12])
    assert "analyst asked" in shown
    assert "COUNT(*) AS n FROM transactions" in shown
    assert plan in beta(room, "list", "--format", "csv")

    assert "once for analyst" in beta(room, "approve", plan)
    assert room.explain(SQL, protocol="mpc").accepted  # uses nothing up
    assert len(room.sql(SQL, protocol="mpc").to_pandas()) > 1
    assert waiting(room, SQL) == plan
    assert "waiting" in beta(room, "list", "--format", "csv")


def test_another_query_is_another_plan(room: LocalRoom) -> None:
    beta(room, "approve", waiting(room, CLAIMS), "--times", "2")
    waiting(room, CLAIMS.replace("COUNT(*)", "SUM(amount)"))
    waiting(room, CLAIMS + " ORDER BY n")
    assert len(room.sql(CLAIMS, protocol="mpc").to_pandas()) == 3


def test_an_approval_is_not_used_up_by_what_others_refuse(room: LocalRoom) -> None:
    sql = "SELECT SUM(other) AS n FROM transactions"
    with pytest.raises(PolicyDenied) as caught:
        room.sql(sql, protocol="mpc")
    assert not isinstance(caught.value, ApprovalNeeded)
    assert "gamma: column transactions.other used as 'sum'" in caught.value.message
    assert "beta: a person at beta has to approve" in caught.value.message

    plan = room.explain(sql, protocol="mpc").plan_hash
    beta(room, "approve", plan)
    for _ in range(2):
        with pytest.raises(PolicyDenied) as caught:
            room.sql(sql, protocol="mpc")
        assert caught.value.party == "gamma"
    assert "approved" in beta(room, "show", plan)


def test_one_approval_lets_one_of_two_at_once_run(room: LocalRoom) -> None:
    sql = "SELECT COUNT(*) AS n FROM beta.claims WHERE level = 3"
    beta(room, "approve", waiting(room, sql))

    def ask(_: int) -> Any:
        try:
            return room.sql(sql, protocol="mpc").to_pandas()
        except ApprovalNeeded as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(ask, range(2)))
    assert sum(isinstance(answer, ApprovalNeeded) for answer in answers) == 1


def test_a_denial_says_why_until_it_is_approved(room: LocalRoom) -> None:
    sql = "SELECT COUNT(*) AS n FROM beta.claims WHERE level = 4"
    plan = waiting(room, sql)
    beta(room, "deny", plan, "--reason", "ask by month")
    with pytest.raises(PolicyDenied, match="denied this plan: ask by month") as caught:
        room.sql(sql, protocol="mpc")
    assert not isinstance(caught.value, ApprovalNeeded)
    (ruling,) = [r for r in room.explain(sql, protocol="mpc").rulings if r.member == "beta"]
    assert (ruling.verdict, ruling.violations[0].code) == (Verdict.REFUSED, "approval-denied")
    beta(room, "approve", plan, "--until", "2100-01-01")
    assert len(room.sql(sql, protocol="mpc").to_pandas()) == 1


def test_a_template_needs_no_approval(room: LocalRoom) -> None:
    expected = sum(
        row["amt"] < 4000 for part in rooms.rows()["transactions"].values() for row in part
    )
    result = room.template("below", most=4000, protocol="mpc")
    assert result.to_pandas()["n"].tolist() == [expected]
    assert room.explain_template("below", most=1).accepted
    assert room.templates()["parameters"].tolist() == ["most INTEGER from 0 to 9000"]


def test_a_false_claim_to_be_a_template_is_refused_by_every_owner(
    room: LocalRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cleanroom.recipient import requests

    true = requests.request_for

    def false(*asked: Any) -> Any:
        return true(*asked).model_copy(update={"sql": SQL})

    monkeypatch.setattr("cleanroom.recipient.asking.request_for", false)
    with pytest.raises(TemplateRefused, match="isn't template below with these values"):
        room.template("below", most=4000, protocol="mpc")


def test_owners_tell_of_their_rows_what_the_contract_has_them_tell(room: LocalRoom) -> None:
    found = room.profile("transactions")
    assert {name: told.rows for name, told in found.told.items()} == {
        "alpha": 64,
        "beta": 64,
        "gamma": 32,
    }
    frame = found.to_pandas().set_index("column")
    for owner, part in rooms.rows()["transactions"].items():
        share = 100 * sum(row["channel"] is None for row in part) / len(part)
        low, high = frame.loc["channel", f"NULL at {owner}"].removesuffix(" %").split(" to ")
        assert int(low) <= share < int(high)
    assert frame.loc["amt"].tolist()[-3:] == ["never"] * 3
    speakers = {s.speaker for s in found.receipt.verify(room.contract)}
    assert speakers == {"analyst", "alpha", "beta", "gamma"}


def test_a_profile_is_ruled_on_and_needs_a_contract_that_has_it(room: LocalRoom) -> None:
    quiet = room.profile("alpha.people")
    assert (quiet.told, quiet.receipt, quiet.rows) == ({}, None, {})
    assert "tell nothing" in str(quiet)
    assert room.profile("transactions", offline=True).told == {}
    with pytest.raises(PolicyDenied, match="no purpose 'fun'"):
        room.profile("transactions", purpose="fun")
    config = room.workers["beta"].config.parent.parent / "analyst" / "config.toml"
    words = ["profile", "beta.claims", "--format", "csv", "--config", str(config)]
    done = CliRunner().invoke(app, words)
    assert (done.exit_code, done.stdout.splitlines()[0]) == (
        0,
        '"column","type","values","rights","NULL at beta"',
    )
