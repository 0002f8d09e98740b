"""A model's file: data, exact, and refused by name where it isn't what was agreed."""

import json
from pathlib import Path

import pytest
import scoring
from scoring import MODEL

from cleanroom.errors import ModelMismatch
from cleanroom.party.weights import Weights, load_models


def load(folder: Path, text: str, **model: object) -> Weights:
    (folder / "risk.json").write_text(text)
    (folder / "ages.json").write_text(json.dumps(scoring.models()["bank_b.ages"]))
    files = {MODEL: folder / "risk.json", "bank_b.ages": folder / "ages.json"}
    return load_models(scoring.terms(**model), "bank_b", files)[MODEL]


def as_text(intercept: object = 0, **weights: object) -> str:
    return json.dumps(
        {"weights": {"age": 0, "balance": 0, "frozen": 0, **weights}, "intercept": intercept}
    )


def test_weights_are_integers_in_units_of_the_score(tmp_path: Path) -> None:
    text = as_text(-0.25, frozen=1, balance=0.0000015, age=0.1)
    weights = load(tmp_path, text)  # six decimals of weights, two of the finest feature
    assert weights == Weights((10_000_000, 2, 100_000_000), -25_000_000)
    assert repr(weights) == "Weights()"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "risk.json is no model"),
        ("[]", "is no model"),
        ("\x80\x04K\x01.", "is no model"),
        ('{"weights": {}, "intercept": 0, "code": "x"}', "code: unknown key"),
        ('{"weights": {}}', "intercept: missing"),
        (as_text("0.5"), "intercept"),
        (as_text(None), "intercept"),
        (as_text(age=float("nan")), "weights.age"),
        (as_text(age=float("-inf")), "weights.age"),
        (as_text(age="1"), "weights.age"),
        (as_text(age=True), "weights.age"),
        (as_text(age=-10.1), "weights.age: beyond max_weight"),
        (as_text(10.1), "intercept: beyond max_weight"),
        (as_text(other=1), "weights.other: the contract declares no such feature"),
        (" " * (1 << 20) + as_text(), "is no model"),
    ],
)
def test_what_does_not_fit_is_named_without_a_number(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ModelMismatch) as caught:
        load(tmp_path, text)
    assert says in caught.value.message
    assert caught.value.party == "bank_b"
    assert "10.1" not in caught.value.message


def test_a_model_whose_scores_may_not_be_exact_is_refused(tmp_path: Path) -> None:
    text = as_text(balance=5)
    assert load(tmp_path, text).units[1] == 5_000_000
    with pytest.raises(ModelMismatch, match="more than 55 bits; declare fewer decimals"):
        load(tmp_path, text, weight_decimals=10)


def test_models_of_others_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelMismatch, match=r"bank_b.ages is not in the contract"):
        load_models(scoring.terms(), "bank_a", {"bank_b.ages": tmp_path})
