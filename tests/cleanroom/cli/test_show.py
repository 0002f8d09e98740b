"""What signers are warned of, and are told that recipients learn besides answers."""

import datetime as dt
from typing import Any

import banks
import flows
from rich.console import Console

from cleanroom.cli.budget import why_none
from cleanroom.cli.show import pages
from cleanroom.cli.warnings import warnings
from cleanroom.contract.document import Contract
from cleanroom.contract.terms import Terms
from cleanroom.evidence.facts import Facts
from cleanroom.evidence.releases import rules


def shown(terms: Terms) -> str:
    console = Console(width=400)
    with console.capture() as captured:
        for page in pages(Contract.draft(terms, {})):
            console.print(page)
    return " ".join(captured.get().split())


def of_banks(**changes: Any) -> Terms:
    return Terms.of({**banks.contract(), **changes})


def test_a_key_that_does_nothing_is_warned_of() -> None:
    dp = of_banks(privacy={"release": "dp", "round_to": 5}, gates={})
    said = "round_to = 5 has no effect on queries under release = 'dp'"
    assert said in list(warnings(dp))
    assert said in shown(dp)
    assert not [w for w in warnings(of_banks()) if "effect" in w]


def test_rows_that_a_gate_would_not_open_are_not_promised() -> None:
    assert "may learn rows of gate flagged_twice that its own" in shown(of_banks())
    assert not list(warnings(of_banks()))
    tables = banks.contract()["tables"]
    tables["flags"]["columns"]["customer"] = {"type": "INTEGER", "bounds": [0, 999]}
    hidden = of_banks(tables=tables)
    refused = "gate flagged_twice: REFUSED to supervisor: column flags.customer used as 'reveal'"
    assert any(warning.startswith(refused) for warning in warnings(hidden))
    assert f"warning {refused}" in shown(hidden)
    assert "rows of gate flagged_twice" not in shown(hidden)
    assert "may learn rows of gate by_phone" in shown(hidden)


def test_profiles_and_rows_of_a_person_are_told() -> None:
    tables = banks.contract()["tables"]
    tables["flags"].update(profile=["rows"], max_rows_per_person=3, owners_per_person=1)
    told = "may learn of each owner's part of flags, roughly, how many rows it has"
    exact = shown(of_banks(tables=tables, privacy={"release": "sdc"}))
    assert told in exact
    assert "customer, of at most 3 rows at an owner, at 1 owner at most" in exact
    assert told not in shown(of_banks(tables=tables, privacy={"release": "dp"}))


def test_an_owner_without_budgets_is_told_why() -> None:
    assert why_none("supervisor", of_banks()) == "supervisor owns no tables, so it has no budgets"
    assert "release = 'gated' adds no noise to answers" in why_none("bank_a", of_banks())


def test_reports_list_no_rule_that_does_nothing() -> None:
    noisy = of_banks(privacy={"release": "dp", "redact": 7}, gates={})
    told = list(rules(noisy))
    assert "redact = 7: without effect on queries under this release" in told
    assert not [rule for rule in told if rule.startswith("min_group")]
    assert list(rules(of_banks()))[-1] == "nothing but the rows of gates is opened"


def test_columns_that_flow_are_said_to_be_used() -> None:
    page = shown(flows.terms())
    assert "0.0000 to 1.0000 │ propagation risk" in page
    assert "bank_b may learn scores of its own accounts by propagation risk" in page
    assert "supervisor nothing but numbers of rows" in page
    facts = Facts(Contract.draft(flows.terms(), {}), dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    assert not list(facts.unused())
