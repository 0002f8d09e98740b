"""A room of three banks and an analyst, as TOML, and identities for it made once."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from cleanroom.contract.document import Contract
from cleanroom.contract.terms import Terms
from cleanroom.identity.identity import Identity

TOML = """
[room]
name = "joint-screening"
version = 1
purpose = "Detection of money laundering across three banks \u2013 \u00a7 1"
lawful_basis = "Legal obligation"
retention_days = 30
expires = 2099-12-31

[coordinator]
address = "coordinator.example:7100"

[members.bank_c]
roles = ["input", "computing"]
acts_as = "controller"
address = "bank-c.example:7103"
[members.bank_a]
roles = ["input", "computing"]
acts_as = "controller"
address = "bank-a.example:7101"
[members.bank_b]
roles = ["input", "computing"]
acts_as = "controller"
address = "[::1]:7102"
[members.analyst]
roles = ["result"]
acts_as = "processor"

[privacy]
release = "sdc"
min_group = 10
round_to = 5
epsilon = 1.0
delta = 1e-9

[tables."bank_a.accounts"]
person = "customer_id"
max_rows_per_person = 20
max_rows = 100000
[tables."bank_a.accounts".columns]
customer_id = { type = "INTEGER", bounds = [0, 9999999999], rights = { analyst = ["join"] } }
segment     = { type = "TEXT", max_bytes = 16, values = ["retail", "business", "private"], \
rights = { analyst = ["group", "filter"] } }
balance     = { type = "DECIMAL(12,2)", bounds = [0, 10000000.05], nullable = true, \
rights = { analyst = ["sum", "avg", "count"] } }
opened      = { type = "DATE", bounds = [1970-01-01, 2026-12-31], \
rights = { analyst = ["filter", "min", "max"] } }
frozen      = { type = "BOOLEAN" }

[tables.transactions]
members = ["bank_a", "bank_b", "bank_c"]
person = "customer_id"
max_rows = 1000000
[tables.transactions.columns]
customer_id  = { type = "INTEGER", bounds = [0, 9999999999], rights = { analyst = ["join"] } }
counterparty = { type = "INTEGER", bounds = [0, 9999999999], rights = { analyst = ["join"] } }
amount       = { type = "DECIMAL(12,2)", rights = { analyst = ["sum", "avg", "count", "filter"] } }
booked       = { type = "TIMESTAMP", bounds = [2020-01-01T00:00:00, 2026-12-31T23:59:59.5], \
rights = { analyst = ["filter"] } }
"""


@pytest.fixture(scope="session")
def toml() -> str:
    return TOML


@pytest.fixture(scope="session")
def terms(tmp_path_factory: pytest.TempPathFactory) -> Terms:
    path: Path = tmp_path_factory.mktemp("terms") / "room.toml"
    path.write_text(TOML, encoding="utf-8")
    return Terms.of(path)


@pytest.fixture(scope="session")
def identities(terms: Terms) -> Mapping[str, Identity]:
    return {name: Identity.create(name) for name in (*terms.members, "coordinator")}


@pytest.fixture(scope="session")
def draft(terms: Terms, identities: Mapping[str, Identity]) -> Contract:
    return Contract.draft(terms, {name: one.public for name, one in identities.items()})


@pytest.fixture(scope="session")
def signed(draft: Contract, identities: Mapping[str, Identity]) -> Contract:
    for name in draft.terms.members:
        draft = draft.signed_by(identities[name])
    return draft
