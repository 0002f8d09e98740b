"""A linkage that can't be computed is refused when the contract is read, by its field."""

from typing import Any

import pytest
from linking import terms_of

from cleanroom.contract import canonical
from cleanroom.contract.linkages import Form
from cleanroom.contract.terms import Terms
from cleanroom.errors import ContractInvalid

SURNAME = {"surname": {"kind": "name"}}
FUZZY = {"threshold": "10.0", "max_left": 512}
COMPARE = [{"form": "surname", "weights": [12, -2]}]
BLOCKED = {**FUZZY, "block": ["postcode.area"], "window": 16, "compare": COMPARE}

FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"laddder": []}, "same_person.laddder: unknown key"),
    "other rules": ({"rules": 2}, "rules: this release cleans by version 1"),
    "no such table": ({"right": "hospital_b.people"}, "right: no table 'hospital_b.people'"),
    "one table": ({"right": "hospital_a.patients"}, "the same table twice"),
    "no such column": (
        {"fields": {**SURNAME, "town": {"kind": "text"}}, "ladder": [["surname"]]},
        "fields.town.left: hospital_a.patients has no column 'town'",
    ),
    "unknown kind": ({"fields": {"surname": {"kind": "iris"}}}, "fields.surname.kind"),
    "unknown field": ({"ladder": [["surnam"]]}, "no field 'surnam'; there are nhs_number, "),
    "unknown form": ({"ladder": [["born.soundex"]]}, "a date has no form 'soundex'; it has "),
    "no rung": ({"ladder": []}, "ladder"),
    "empty rung": ({"ladder": [[]]}, "ladder"),
    "rung twice": ({"ladder": [["born", "sex"], ["sex", "born"]]}, "rung 2 repeats"),
    "unlike fields": ({"ladder": [["surname+born"]]}, "two different fields of one kind"),
    "for a stranger": ({"to": ["hospital_a"]}, "'hospital_a' has no role 'result'"),
    "for nobody": ({"to": []}, "to"),
    "weights and levels": (
        {"fuzzy": {**FUZZY, "compare": [{"form": "surname", "weights": [5, 3, -2]}]}},
        "compare.0: weights: one for each level",
    ),
    "levels of a date": (
        {
            "fuzzy": {
                **FUZZY,
                "compare": [{"form": "born.year", "levels": ["0.8"], "weights": [5, -2]}],
            }
        },
        "'born.year' has no levels",
    ),
    "too many for all pairs": (
        {"fuzzy": {**FUZZY, "max_left": 16385, "compare": COMPARE}},
        "max_left: at most 16384 without a block",
    ),
    "too many": ({"fuzzy": {**BLOCKED, "max_left": 1048577}}, "fuzzy.max_left"),
    "block without window": (
        {"fuzzy": {**FUZZY, "block": ["sex"], "compare": COMPARE}},
        "block and window: neither without the other",
    ),
    "wide window": ({"fuzzy": {**BLOCKED, "window": 33}}, "fuzzy.window"),
    "block of nothing": ({"fuzzy": {**BLOCKED, "block": []}}, "fuzzy.block"),
    "unknown block": ({"fuzzy": {**BLOCKED, "block": ["town"]}}, "no field 'town'"),
    "block twice": ({"fuzzy": {**BLOCKED, "block": ["sex", "sex"]}}, "block repeats a form"),
    "ascending levels": (
        {
            "fuzzy": {
                **FUZZY,
                "compare": [{"form": "surname", "levels": [0.5, 0.8], "weights": [5, 1, -2]}],
            }
        },
        "levels must descend",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_linkage_that_does_not_hold_is_refused_by_its_field(fault: str) -> None:
    change, named = FAULTS[fault]
    with pytest.raises(ContractInvalid, match=named):
        Terms.of(terms_of(**change))


def test_tables_that_cannot_be_linked_are_refused() -> None:
    several = terms_of()
    several["tables"]["hospital_a.patients"]["max_rows_per_person"] = 2
    with pytest.raises(ContractInvalid, match="needs max_rows_per_person = 1"):
        Terms.of(several)
    named = terms_of()
    named["linkages"]["patients"] = named["linkages"].pop("same_person")
    with pytest.raises(ContractInvalid, match="a table has that name"):
        Terms.of(named)
    noisy = terms_of()
    noisy["privacy"] = {"release": "dp"}
    with pytest.raises(ContractInvalid, match="not under release = 'dp'"):
        Terms.of(noisy)


def test_a_linkage_survives_its_document_and_knows_its_forms() -> None:
    compare = [{"form": "surname", "levels": [0.9, "3/5"], "weights": [6.5, 2, -4]}]
    terms = Terms.of(terms_of(fuzzy={**FUZZY, "compare": compare}))
    again = Terms.of(canonical.plain(terms))  # type: ignore[arg-type]
    linkage = again.linkages["same_person"]
    assert again == terms
    assert linkage.rungs == 6
    assert ("hospital_b.patients", "born") in linkage.columns
    assert linkage.rung_forms()[3] == (Form("surname", "", "given_name"), Form("born", "swapped"))


def test_large_registers_are_compared_in_blocks() -> None:
    terms = Terms.of(terms_of(fuzzy={**BLOCKED, "max_left": 1 << 20}))
    again = Terms.of(canonical.plain(terms))  # type: ignore[arg-type]
    assert again == terms
    assert again.linkages["same_person"].block_forms() == (Form("postcode", "area"),)
