"""Made-up rows of a newspaper and three shops, always the same, or those of files of their owners.

A reader is a customer of a shop by chance; whoever saw the campaign spends a little more.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from examples.files import read

SHOPS = ("north", "south", "west")
AGES = ("18-29", "30-49", "50-69", "70+")
KINDS = ("books", "garden", "sports", "toys")
PERSONS = 3000
READER = {"person": "int64", "age": "str", "saw": "bool"}
CUSTOMER = {
    **dict.fromkeys(("person", "visits", "spent"), "int64"),
    **{"favourite": "str", "returned": "bool"},
}
SEED = 20261122

Rows = dict[str, Any]


def rows(folder: Path | None = None) -> Rows:
    """Return each table's rows, of `customers` those of each shop.

    Args:
        folder: where `readers.csv`, `north.csv`, `south.csv` and `west.csv` are; None draws rows.

    Raises:
        DataMismatch: naming the file that is missing or can't be read.
    """
    if folder is not None:
        shops = {shop: read(folder, f"{shop}.csv", CUSTOMER) for shop in SHOPS}
        return {"paper.readers": read(folder, "readers.csv", READER), "customers": shops}
    dice = np.random.default_rng(SEED)
    readers = _readers(dice)
    return {"paper.readers": readers, "customers": {s: _customers(dice, readers) for s in SHOPS}}


def _readers(dice: np.random.Generator) -> pd.DataFrame:
    """Return half of all persons; the campaign reached two of five."""
    person = np.sort(dice.choice(PERSONS, PERSONS // 2, replace=False))
    age = dice.choice(AGES, len(person), p=[0.2, 0.4, 0.3, 0.1])
    return pd.DataFrame({"person": person, "age": age, "saw": dice.random(len(person)) < 0.4})


def _customers(dice: np.random.Generator, readers: pd.DataFrame) -> pd.DataFrame:
    """Return a fifth of all persons as one shop's customers: what they spent, who came back."""
    person = np.sort(dice.choice(PERSONS, PERSONS // 5, replace=False))
    saw = np.isin(person, readers.loc[readers["saw"], "person"])
    visits = (1 + dice.poisson(4, len(person))).clip(max=30)
    spent = np.round(dice.gamma(2.0, 20.0, len(person)) * visits * (1 + 0.2 * saw)).astype(int)
    odds = np.exp(-2 + 0.25 * visits + 0.003 * spent)
    return pd.DataFrame(
        {
            "person": person,
            "visits": visits,
            "spent": spent.clip(max=1000),
            "favourite": dice.choice(KINDS, len(person)),
            "returned": dice.random(len(person)) < odds / (1 + odds),
        }
    )
