"""Models that don't hold are refused by field; a model's table can only hold what it weighs."""

import copy
from typing import Any

import pytest
import scoring
from rich.console import Console
from scoring import MODEL, TABLE

from cleanroom.cli import show
from cleanroom.contract import canonical
from cleanroom.contract.document import Contract
from cleanroom.contract.terms import Terms
from cleanroom.errors import ContractInvalid
from cleanroom.identity.identity import Identity

AGE, BALANCE = f"models/{MODEL}/features/age", f"models/{MODEL}/features/balance"
COLUMNS = f"tables/{TABLE}/columns"
SCORES = f"models/{MODEL}/scores"

FAULTS: dict[str, tuple[dict[str, object], str]] = {
    "unknown key": ({f"models/{MODEL}/weights": {}}, "weights: unknown key"),
    "kind": ({f"models/{MODEL}/kind": "tree"}, "kind"),
    "no features": ({f"models/{MODEL}/features": {}}, "features"),
    "unbounded": ({AGE: {}}, "age.bounds: missing"),
    "infinite": ({f"{AGE}/bounds": [0, float("inf")]}, "age.bounds"),
    "not a number": ({f"{AGE}/bounds": [float("nan"), 1]}, "age.bounds"),
    "descending": ({f"{AGE}/bounds": [9, 8]}, "age: bounds must ascend"),
    "too fine": ({f"{AGE}/bounds": [0, 1.5]}, "age: a number has more than 0 decimals"),
    "too many digits": ({f"{AGE}/bounds": [0, 10**15], f"{AGE}/decimals": 1}, "or 15 digits"),
    "NULL as what it can't be": ({f"{BALANCE}/null": -1001}, "balance: null: lies beyond"),
    "no weight": ({f"models/{MODEL}/max_weight": 0}, "max_weight"),
    "more in a session": ({f"models/{MODEL}/max_rows": 200_000}, "more than max_rows_per_day"),
    "nameless": ({"models/risk": {}}, "models.risk"),
    "of nobody": ({"models/nobody.risk": MODEL}, "models.nobody.risk: no member 'nobody'"),
    "unknown asker": ({SCORES: {"nobody": [TABLE]}}, "scores: no member 'nobody'"),
    "asker without role": ({"members/shop/roles": ["input"]}, "'shop' has no role 'result'"),
    "the owner itself": (
        {SCORES: {"bank_b": [TABLE]}, "members/bank_b/roles": ["input", "result"]},
        "'bank_b' holds the model itself",
    ),
    "unknown table": ({SCORES: {"bank_a": ["bank_a.none"]}}, "'bank_a' holds no table"),
    "another's table": ({SCORES: {"shop": [TABLE]}}, "'shop' holds no table 'bank_a.accounts'"),
    "missing column": ({SCORES: {"bank_a": ["visits"]}}, "visits has no column 'balance'"),
    "a text": ({f"{COLUMNS}/age": {"type": "TEXT", "max_bytes": 3}}, "accounts.age is no number"),
    "wider column": ({f"{COLUMNS}/age/bounds": [0, 131]}, "accounts.age may hold values beyond"),
    "finer column": ({f"{COLUMNS}/age/type": "DECIMAL(4,1)"}, "accounts.age has 1 decimals"),
    "NULL": ({f"{COLUMNS}/age/nullable": True}, "accounts.age may be NULL"),
}


def _with(changes: dict[str, object]) -> dict[str, Any]:
    source = scoring.contract()
    for path, value in changes.items():
        *folders, name = path.split("/")
        at = source
        for folder in folders:
            at = at[folder]
        at[name] = copy.deepcopy(at[value]) if value == MODEL else value
    return source


@pytest.mark.parametrize("name", FAULTS)
def test_what_does_not_hold_is_named(name: str) -> None:
    changes, says = FAULTS[name]
    with pytest.raises(ContractInvalid) as caught:
        Terms.of(_with(changes))
    assert says in caught.value.message


def test_models_survive_their_document() -> None:
    terms = scoring.terms()
    plain = canonical.plain(terms)
    assert canonical.plain(Terms.of(plain)) == plain
    assert list(terms.models_of("bank_b")) == [MODEL, "bank_b.ages"]


def test_a_feature_is_counted_in_units_of_its_last_place() -> None:
    feature = scoring.terms().models[MODEL].features["balance"]
    assert (feature.range, feature.reach, feature.null_units) == ((-100_000, 10_000_000), 10**7, 0)


def test_show_says_who_may_learn_what_of_a_model() -> None:
    terms = scoring.terms()
    contract = Contract.draft(terms, {n: Identity.create(n).public for n in terms.members})
    console = Console(width=300)
    with console.capture() as captured:
        for page in show.pages(contract):
            console.print(page)
    said = " ".join(captured.get().split())
    assert f"Model {MODEL} of bank_b, logistic" in said
    assert "at most 16384 rows in a session and 100000 a day" in said
    assert f"may learn scores of own rows of {TABLE} under {MODEL}" in said
