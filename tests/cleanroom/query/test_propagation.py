"""Propagations on plain rows: against numpy over the pooled payments, and what is refused."""

from pathlib import Path
from typing import Any

import flows
import pytest

from cleanroom.contract.terms import Terms
from cleanroom.errors import ContractInvalid, DataMismatch, UnknownName, UnsupportedQuery
from cleanroom.local.mock import mock_rows
from cleanroom.plan.plaintext import insecure_run
from cleanroom.plan.plan import Plan
from cleanroom.query.compile import compile_query
from cleanroom.query.finish import finish
from cleanroom.sql.propagation import statement

SCORES = statement("propagate", "risk", 2)
REACH = statement("reach", "risk", 2)


def plan_of(sql: str, recipient: str = "bank_a", agreed: Terms | None = None, **how: Any) -> Plan:
    return compile_query(sql, agreed or flows.terms(), "0" * 64, recipient, **how)


@pytest.mark.parametrize("bank", flows.BANKS)
@pytest.mark.parametrize("damping", [0.5, 0.85])
def test_scores_are_those_of_the_pooled_payments(bank: str, damping: float, tmp_path: Path) -> None:
    agreed, data = flows.terms(damping=damping), flows.rows()
    plan = plan_of(statement("propagate", "risk", 3), bank, agreed)
    found = finish(plan, insecure_run(plan, flows.stored(data, tmp_path)).columns).to_pandas()
    expected = flows.pooled_scores(data, 3, damping)
    assert found["account"].tolist() == sorted(data["accounts"][bank]["iban"])
    assert found["score"].tolist() == pytest.approx(
        [expected[name] for name in found["account"]], rel=1e-9, abs=1e-11
    )
    assert (found["score"] > 0).sum() > 10


@pytest.mark.parametrize("hops", [1, 4])
def test_reached_are_those_of_the_pooled_payments(hops: int, tmp_path: Path) -> None:
    data = flows.rows()
    plan = plan_of(statement("reach", "risk", hops), "bank_b")
    found = finish(plan, insecure_run(plan, flows.stored(data, tmp_path)).columns).to_pandas()
    kept = set(data["accounts"]["bank_b"]["iban"])
    assert set(found["account"]) == flows.pooled_reach(data, hops) & kept
    assert list(found.columns) == ["account"]


def test_whole_numbers_name_accounts_as_well(tmp_path: Path) -> None:
    room, data = flows.contract(), flows.rows()
    number = {"type": "INTEGER", "bounds": [1, 999_999]}
    room["tables"]["accounts"]["columns"]["iban"] = number
    room["tables"]["payments"]["columns"] |= {"src": number, "dst": {**number, "bounds": [1, 99]}}
    names = [one for part in data["accounts"].values() for one in part["iban"]]
    numbers = {name: i + 5 for i, name in enumerate([*names, "elsewhere-1", "elsewhere-2"])}
    room["tables"]["payments"]["columns"]["dst"] = number
    for parts in data.values():
        for part in parts.values():
            for column in {"iban", "src", "dst"} & set(part):
                part[column] = part[column].map(numbers)
    agreed = Terms.of(room)
    plan = plan_of(SCORES, "bank_c", agreed)
    found = finish(plan, insecure_run(plan, flows.stored(data, tmp_path, agreed)).columns)
    expected = flows.pooled_scores(data, 2)
    for row in found.to_pylist():
        assert row["score"] == pytest.approx(expected[row["account"]], rel=1e-9, abs=1e-11)


def test_made_up_rows_have_accounts_at_one_bank_and_payments_to_them(tmp_path: Path) -> None:
    plan = plan_of(statement("propagate", "risk", 2), "bank_b")
    owners = flows.stored(mock_rows(flows.terms(), rows=100), tmp_path)
    found = finish(plan, insecure_run(plan, owners).columns).to_pandas()
    assert found["account"].is_unique
    assert found["score"].between(0, 1).all()
    assert found["score"].nunique() > 20


def test_the_plan_as_text() -> None:
    """What a bank computes by itself, and what is opened; any change of it changes plan hashes."""
    node = plan_of(SCORES).propagation
    assert node is not None
    assert [(c.name, c.bits) for c in node.own.bits] == [("account", 96), ("shown", 144)]
    assert [(c.name, c.bits) for c in node.others[0].bits] == [("account", 96)]
    assert "SHA256($text_key" in node.own.sql
    assert 'FROM "accounts" GROUP BY 1' in node.own.sql
    paid = node.payments[1]
    assert paid.member == "bank_b"
    assert (
        'CAST(SUM("amount") AS DOUBLE) / SUM(SUM("amount")) OVER (PARTITION BY "dst") AS "weight" '
        'FROM "payments" WHERE "amount" > 0 AND "dst" IN (SELECT "iban" FROM "accounts") '
        "GROUP BY 1, 2"
    ) in paid.sql
    assert [one.name for one in paid.sums] == ["weight", "place"]
    assert [one.name for one in node.own.sums] == ["score", "place"]
    assert plan_of(SCORES).hash == plan_of(SCORES).hash != plan_of(REACH).hash
    assert plan_of(SCORES, "bank_b").hash != plan_of(SCORES).hash
    assert plan_of("select Account, SCORE from propagate(RISK, 2)").root == plan_of(SCORES).root


FORMS = {
    "SELECT account FROM PROPAGATE(risk, 2)": "another form",
    "SELECT score, account FROM PROPAGATE(risk, 2)": "another form",
    "SELECT account, score FROM PROPAGATE('risk', 2)": "another form",
    "SELECT account, score FROM PROPAGATE(risk, 2.5)": "rounds are a whole number",
    "SELECT account, score FROM PROPAGATE(risk)": "another form",
    "SELECT account, score FROM PROPAGATE(risk, 2) WHERE score > 0": "WHERE in SELECT of .*arrive",
    "SELECT account, score FROM PROPAGATE(risk, 2), accounts": "JOIN in SELECT",
    "SELECT account, score FROM REACH(risk, 2)": "another form",
    "SELECT account FROM REACH(risk, 0)": "of no round",
    "SELECT account, score FROM (SELECT * FROM PROPAGATE(risk, 2)) t": "function PROPAGATE",
}


@pytest.mark.parametrize("sql", FORMS)
def test_in_no_other_form(sql: str) -> None:
    with pytest.raises(UnsupportedQuery, match=FORMS[sql]):
        plan_of(sql)


def test_refused_by_name() -> None:
    with pytest.raises(UnknownName, match="no propagation 'risks'") as error:
        plan_of(statement("propagate", "risks", 2))
    assert "risk" in error.value.remedy
    with pytest.raises(UnsupportedQuery, match="for supervisor, which keeps no accounts"):
        plan_of(SCORES, "supervisor")
    with pytest.raises(UnsupportedQuery, match="on ciphertexts"):
        plan_of(SCORES, protocol="he")
    with pytest.raises(UnsupportedQuery, match="of groups, or with noise"):
        plan_of(SCORES, min_group=20)


CHANGES = {
    "propagations.risk.accounts: no federated table 'account'": {"accounts": "account"},
    "propagations.risk.score: no column 'risk'": {"score": "risk"},
    "propagations.risk.score: a number with bounds from 0 to 1": {"score": "iban"},
    "propagations.risk.amount: a number": {"amount": "src"},
    "propagations.risk.to: 'supervisor' keeps no accounts": {"to": ["supervisor"]},
    "account, source and target: all INTEGER, or all TEXT": {"source": "amount"},
    "propagations.risk.damping": {"damping": 1.5},
    "propagations.risk.max_rounds": {"max_rounds": 1000},
}


@pytest.mark.parametrize("fault", CHANGES)
def test_contracts_that_are_none(fault: str) -> None:
    with pytest.raises(ContractInvalid, match=fault):
        flows.terms(**CHANGES[fault])


def test_columns_that_could_be_missing_or_negative() -> None:
    for column, change, fault in (
        ("amount", {"nullable": True}, "risk.amount: may be NULL"),
        ("amount", {"bounds": [-5, 5]}, "risk.amount: a number with bounds from 0 up"),
        ("src", {"nullable": True}, "risk.source: may be NULL"),
    ):
        room = flows.contract()
        columns = room["tables"]["payments"]["columns"]
        columns[column] = {**columns[column], **change}
        with pytest.raises(ContractInvalid, match=fault):
            Terms.of(room)
    with pytest.raises(ContractInvalid, match="risk: exact scores, where release = 'dp'"):
        Terms.of({**flows.contract(), "privacy": {"release": "dp"}})


@pytest.mark.parametrize(("amount", "fault"), [(-1.0, "outside of the"), (None, "NULL where the")])
def test_amounts_that_are_none_stop_their_owner(
    amount: float | None, fault: str, tmp_path: Path
) -> None:
    data = flows.rows()
    data["payments"]["bank_b"].loc[3, "amount"] = amount
    with pytest.raises(DataMismatch, match=fault):
        flows.stored(data, tmp_path)
