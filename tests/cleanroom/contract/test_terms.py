"""Terms that don't hold are refused by field; those that hold survive their document."""

import copy
import datetime as dt
import json
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanroom.contract import canonical
from cleanroom.contract.terms import Terms
from cleanroom.contract.types import SqlType
from cleanroom.errors import ContractInvalid

ACCOUNTS = "tables/bank_a.accounts"
GONE = object()
COMPUTING = {"roles": ["input", "computing"], "address": "x.example:7199"}
INPUT = {"roles": ["input"]}

FAULTS: dict[str, tuple[dict[str, object], str]] = {
    "unknown top key": ({"extra": {}}, "extra: unknown key"),
    "unknown room key": ({"room/porpuse": "x"}, "room.porpuse: unknown key"),
    "unknown column key": ({f"{ACCOUNTS}/columns/segment/max": 1}, "segment.max: unknown key"),
    "no purpose": ({"room/purpose": GONE}, "room.purpose: missing"),
    "blank purpose": ({"room/purpose": "  "}, "room.purpose"),
    "no lawful basis": ({"room/lawful_basis": GONE}, "room.lawful_basis: missing"),
    "no retention": ({"room/retention_days": GONE}, "room.retention_days: missing"),
    "retention for ever": ({"room/retention_days": 40000}, "room.retention_days"),
    "no expiry": ({"room/expires": GONE}, "room.expires: missing"),
    "expiry is no date": ({"room/expires": "soon"}, "room.expires"),
    "version as text": ({"room/version": "1"}, "room.version"),
    "one computes": (
        {"members/bank_a": INPUT, "members/bank_b": INPUT},
        "members: three must compute, or none; 1 do",
    ),
    "two compute": ({"members/bank_a": INPUT}, "members: three must compute, or none; 2 do"),
    "four compute": (
        {"members/bank_d": COMPUTING},
        "members: three must compute, or none; 4 do",
    ),
    "computes without address": (
        {"members/bank_a/address": GONE},
        "members.bank_a: computing members, and only they, need an address",
    ),
    "listens without computing": ({"members/analyst/address": "a:1"}, "members.analyst"),
    "address without port": ({"members/bank_a/address": "bank"}, "members.bank_a.address"),
    "shared address": ({"members/bank_a/address": "bank-c.example:7103"}, "share an address"),
    "role twice": ({"members/analyst/roles": ["result", "result"]}, "members.analyst"),
    "unknown role": ({"members/analyst/roles": ["admin"]}, "members.analyst.roles"),
    "member called coordinator": ({"members/coordinator": INPUT}, "members.coordinator"),
    "bad member name": ({"members/Bank": INPUT}, "members.Bank"),
    "owner twice": ({"tables/transactions/members": ["bank_a", "bank_a"]}, "transactions"),
    "unknown owner": ({"tables/transactions/members": ["bank_x"]}, "no member 'bank_x'"),
    "owner without data": ({"tables/transactions/members": ["analyst"]}, "no role 'input'"),
    "release": ({"privacy/release": "raw"}, "privacy.release"),
    "midpoints of single counts": (
        {"privacy/rounding": "midpoint", "privacy/round_to": 1},
        "round_to above 1",
    ),
    "query beyond the budget": ({"privacy/query_epsilon": 2.0}, "query_epsilon: more than"),
    "range without a width": (
        {f"{ACCOUNTS}/columns/balance/filter_by": "range"},
        "min_width belongs to",
    ),
    "width of a text": (
        {
            f"{ACCOUNTS}/columns/segment/filter_by": "range",
            f"{ACCOUNTS}/columns/segment/min_width": 1,
        },
        "a TEXT has no ranges",
    ),
    "unknown purpose": (
        {f"{ACCOUNTS}/columns/segment/rights": {"analyst": {"beds": ["group"]}}},
        "no purpose 'beds' of the room",
    ),
    "gate for nobody": ({"gates": {"g": {"sql": "SELECT 1", "max_rows": 9}}}, "gates.g: to"),
    "gate for a stranger": (
        {"gates": {"g": {"sql": "SELECT 1", "max_rows": 9, "to": ["x"]}}},
        "no member 'x'",
    ),
    "template for an owner": (
        {"templates": {"t": {"sql": "SELECT 1", "recipients": ["bank_a"]}}},
        "'bank_a' has no role 'result'",
    ),
    "parameter without bounds": (
        {
            "templates": {
                "t": {
                    "sql": "SELECT :n",
                    "recipients": ["analyst"],
                    "parameters": {"n": {"type": "INTEGER"}},
                }
            }
        },
        "type INTEGER needs bounds",
    ),
    "acts as": ({"members/analyst/acts_as": "owner"}, "members.analyst.acts_as"),
    "verification code": (
        {f"{ACCOUNTS}/columns/card_cvv2": {"type": "INTEGER"}},
        "columns: card_cvv2: card verification codes",
    ),
    "special category, small groups": (
        {f"{ACCOUNTS}/columns/frozen/special_category": True, "privacy/min_group": 9},
        "frozen.special_category: then privacy.min_group",
    ),
    "special category, large epsilon": (
        {f"{ACCOUNTS}/columns/frozen/special_category": True, "privacy/epsilon": 1.1},
        "frozen.special_category: then privacy.epsilon",
    ),
    "min_group": ({"privacy/min_group": 0}, "privacy.min_group"),
    "min_contributors": ({"privacy/min_contributors": 0}, "privacy.min_contributors"),
    "epsilon": ({"privacy/epsilon": float("nan")}, "privacy.epsilon"),
    "person": ({f"{ACCOUNTS}/person": "nobody"}, "person: no column 'nobody'"),
    "unknown type": ({f"{ACCOUNTS}/columns/opened/type": "DATETIME"}, "opened.type"),
    "descending bounds": ({f"{ACCOUNTS}/columns/balance/bounds": [2, 1]}, "columns.balance"),
    "too wide": ({f"{ACCOUNTS}/columns/balance/bounds": [0, 10**10]}, "balance.bounds"),
    "too fine": ({f"{ACCOUNTS}/columns/balance/bounds": [0, 0.001]}, "balance.bounds"),
    "infinite": ({f"{ACCOUNTS}/columns/balance/bounds": [0, float("inf")]}, "balance.bounds"),
    "huge": ({f"{ACCOUNTS}/columns/balance/bounds": [0, "1e999999999"]}, "balance.bounds"),
    "one bound": ({f"{ACCOUNTS}/columns/balance/bounds": [0]}, "balance.bounds"),
    "bounds of another type": ({f"{ACCOUNTS}/columns/opened/bounds": [1, 2]}, "opened.bounds"),
    "no such day": (
        {f"{ACCOUNTS}/columns/opened/bounds": ["2024-02-30", "2024-03-01"]},
        "opened.bounds",
    ),
    "time zone": (
        {"tables/transactions/columns/booked/bounds": ["2024-01-01T00:00:00+02:00", "2025-01-01"]},
        "booked.bounds: .*no time zone",
    ),
    "bounds of a BOOLEAN": ({f"{ACCOUNTS}/columns/frozen/bounds": [False, True]}, "frozen"),
    "bounds of TEXT": ({f"{ACCOUNTS}/columns/segment/bounds": ["a", "b"]}, "segment"),
    "value twice": ({f"{ACCOUNTS}/columns/segment/values": ["a", "a"]}, "segment"),
    "unknown right": (
        {f"{ACCOUNTS}/columns/opened/rights": {"analyst": ["see"]}},
        "opened.rights.analyst",
    ),
    "right twice": ({f"{ACCOUNTS}/columns/opened/rights": {"analyst": ["min", "min"]}}, "opened"),
    "unknown recipient": (
        {f"{ACCOUNTS}/columns/opened/rights": {"police": ["min"]}},
        "columns.opened.rights: no member 'police'",
    ),
    "recipient without role": (
        {f"{ACCOUNTS}/columns/opened/rights": {"bank_b": ["min"]}},
        "columns.opened.rights: 'bank_b' has no role 'result'",
    ),
}


def _changed(toml: str, changes: Mapping[str, object]) -> dict[str, Any]:
    document = copy.deepcopy(tomllib.loads(toml))
    for path, value in changes.items():
        *folders, last = path.split("/")
        at = document
        for folder in folders:
            at = at[folder]
        if value is GONE:
            del at[last]
        else:
            at[last] = value
    return document


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_refused_by_its_field(toml: str, fault: str) -> None:
    changes, named = FAULTS[fault]
    with pytest.raises(ContractInvalid, match=named):
        Terms.of(_changed(toml, changes))


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ('[members.bank_a]\nroles = ["input"]\n', "not TOML"),
        ("[room\n", "not TOML"),
        ("\0", "not TOML"),
    ],
)
def test_what_is_not_toml_is_refused(tmp_path: Path, toml: str, line: str, named: str) -> None:
    (tmp_path / "room.toml").write_text(toml + line, encoding="utf-8")
    with pytest.raises(ContractInvalid, match=named):
        Terms.of(tmp_path / "room.toml")


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_an_unreadable_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "room.toml").write_bytes(content)
    with pytest.raises(ContractInvalid, match=r"room\.toml"):
        Terms.of(tmp_path / "room.toml")


def test_a_room_without_computing_members_is_allowed(toml: str) -> None:
    banks = {f"members/{name}": INPUT for name in ("bank_a", "bank_b", "bank_c")}
    assert Terms.of(_changed(toml, banks)).computing == ()


def test_terms_survive_their_document(terms: Terms) -> None:
    again = Terms.of(canonical.plain(terms))  # type: ignore[arg-type]
    assert again == terms
    assert canonical.compact(canonical.plain(again)) == canonical.compact(canonical.plain(terms))
    assert again.computing == terms.computing == ("bank_c", "bank_a", "bank_b")


def test_bounds_have_the_type_of_their_column(terms: Terms) -> None:
    columns = terms.tables["bank_a.accounts"].columns
    assert columns["balance"].bounds == (Decimal("0.00"), Decimal("10000000.05"))
    assert columns["balance"].range == (0, 1_000_000_005)
    assert columns["opened"].bounds == (dt.date(1970, 1, 1), dt.date(2026, 12, 31))
    booked = terms.tables["transactions"].columns["booked"]
    assert booked.bounds is not None
    assert booked.bounds[1] == dt.datetime(2026, 12, 31, 23, 59, 59, 500_000)


@pytest.mark.parametrize("low", [0, 0.0, "0", "0.00", Decimal("0.0")])
def test_one_bound_has_one_form_however_written(toml: str, low: object) -> None:
    written = _changed(toml, {f"{ACCOUNTS}/columns/balance/bounds": [low, 1]})
    bounds = Terms.of(written).tables["bank_a.accounts"].columns["balance"].bounds
    assert [str(bound) for bound in bounds or ()] == ["0.00", "1.00"]


def test_rights_are_for_every_purpose_or_for_one(toml: str) -> None:
    rights = {"analyst": {"beds": ["group"], "costs": ["filter"]}}
    purposes = {"beds": "Plan beds", "costs": "Plan costs"}
    path = f"{ACCOUNTS}/columns/segment/rights"
    written = Terms.of(_changed(toml, {"room/purposes": purposes, path: rights}))
    terms = Terms.of(json.loads(canonical.compact(canonical.plain(written))))
    columns = terms.tables["bank_a.accounts"].columns
    assert columns["segment"].rights_of("analyst", "beds") == ("group",)
    assert columns["segment"].rights_of("analyst", "costs") == ("filter",)
    assert columns["segment"].rights_of("analyst") == ()
    assert columns["balance"].rights_of("analyst", "beds") == ("sum", "avg", "count")


@given(st.sampled_from(["INTEGER", "DECIMAL(18,4)", "DATE", "TIMESTAMP", "BOOLEAN"]), st.data())
def test_values_survive_encoding_and_text(text: str, data: st.DataObject) -> None:
    sql_type = SqlType.parse(text)
    encoded = data.draw(st.integers(*sql_type.widest()))
    value = sql_type.decode(encoded)
    assert sql_type.encode(value) == encoded
    if isinstance(value, dt.date):
        assert sql_type.encode(value.isoformat()) == encoded
    if isinstance(value, Decimal):
        assert sql_type.encode(f"{value:f}") == encoded


@pytest.mark.parametrize("port", ["0", "65536", "70000", "99999"])
def test_a_port_that_is_none_is_refused(toml: str, tmp_path: Path, port: str) -> None:
    path = tmp_path / "room.toml"
    path.write_text(toml.replace("7101", port), encoding="utf-8")
    with pytest.raises(ContractInvalid, match=r"members\.bank_a\.address: the port"):
        Terms.of(path)
