"""The rows of three banks: made up from a seed, or read from AMLGentex's files.

Rule: both give one `World`, of the same columns and labels.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from examples.aml import background, patterns
from examples.aml.world import BANKS, CONTACTS, COUNTRIES, TYPOLOGIES, Ints, World
from examples.files import mismatch, read

LIMIT = 10_000.0  # payments of so much are reported to the authority
KNOWN = {"ACCOUNT_ID": "int64", "BANK_ID": "str"}
MOVED = dict.fromkeys(("step", "nameOrig", "nameDest", "isSAR", "patternID"), "int64")
STAGED = {"modelID": "int64", "type": "str"}
FILED = 0.6  # reports of suspicion per account


def generate(
    n_accounts: int = 3000,
    *,
    each: int = 6,
    days: int = 60,
    per_account: float = 4.5,
    seed: int = 0,
) -> World:
    """Make up banks' rows with `each` patterns of every typology.

    Args:
        days: 30 to 90.
        per_account: everyday payments per account, besides salaries and savings.

    Raises:
        ValueError: if there are too few customers for so many patterns.
    """
    draw = np.random.default_rng(seed)
    accounts = background.accounts(draw, n_accounts)
    honest = background.payments(draw, accounts, round(per_account * n_accounts), days, LIMIT)
    staged = patterns.payments(draw, accounts, each, days, LIMIT)
    moved = pd.concat([honest.assign(pattern=-1, typology=""), staged], ignore_index=True)
    return _world(draw, accounts, moved)


def load(folder: Path, seed: int = 0) -> World:
    """Read AMLGentex's three banks: accounts.csv, transfers.csv.gz and alert_models.csv.

    A customer there has one account, and neither contacts nor flags: phones, devices and flags,
    and which accounts of a pattern are one person's, are made up from the seed. Amounts are
    doubled, as gates look at those above 2000; a step is a day.

    Raises:
        DataMismatch: naming the file that is missing, can't be read, or has other banks' accounts.
    """
    draw = np.random.default_rng(seed)
    known = read(folder, "accounts.csv", KNOWN)
    moved = read(folder, "transfers.csv.gz", {**MOVED, "amount": "float64"})
    typology = read(folder, "alert_models.csv", STAGED).groupby("modelID").type.first()
    if not known.BANK_ID.isin(BANKS).all():
        raise mismatch(folder, "accounts.csv", f"has other banks than {', '.join(BANKS)}")
    if not moved[["nameOrig", "nameDest"]].isin(set(known.ACCOUNT_ID)).all(axis=None):
        raise mismatch(folder, "transfers.csv.gz", "has accounts that accounts.csv doesn't have")
    staged = (moved.isSAR == 1).to_numpy()
    number = np.where(staged, moved.patternID - moved.patternID[staged].min(), -1)
    rows = pd.DataFrame(
        {
            "src": moved.nameOrig,
            "dst": moved.nameDest,
            "amount": (2 * moved.amount).clip(0.01).round(2),
            "minute": moved.step * background.DAY_MINUTES + draw.integers(0, 1440, len(moved)),
            "pattern": number,
            "typology": pd.Series(number).map(typology).fillna(""),
        }
    )
    bank = known.BANK_ID.map(list(BANKS).index).to_numpy()
    labels = _labels(rows).set_index("id").pattern.reindex(known.ACCOUNT_ID).fillna(-1)
    owner = _persons(draw, bank, labels.to_numpy())
    accounts = background.described(draw, bank, owner).drop(columns="address")
    accounts["id"] = known.ACCOUNT_ID
    return _world(draw, accounts, rows)


def _persons(draw: np.random.Generator, bank: Ints, pattern: Ints) -> Ints:
    """Say whose each account is: of a pattern, half of the pairs at two banks are one person's."""
    owner = np.arange(len(bank))
    for number in np.unique(pattern[pattern >= 0]):
        crew = draw.permutation(np.flatnonzero(pattern == number))
        for first, second in zip(crew[::2], crew[1::2], strict=False):
            if bank[first] != bank[second] and draw.random() < 0.5:
                owner[second] = first
    return np.unique(owner, return_inverse=True)[1]


def _world(draw: np.random.Generator, accounts: pd.DataFrame, moved: pd.DataFrame) -> World:
    moved = moved.sort_values(["minute", "src", "dst"], ignore_index=True)
    moved = moved.assign(booked=background.booked(moved.minute)).drop(columns="minute")
    known = accounts.merge(_labels(moved), on="id", how="left")
    known = known.fillna({"pattern": -1, "typology": ""}).astype({"pattern": int})
    known = _shared_contacts(draw, known)
    flags = _flags(draw, known)
    risk = flags.set_index(["bank", "customer"]).risk
    keys = pd.MultiIndex.from_frame(known[["bank", "customer"]])
    known["score"] = risk.reindex(keys).fillna(0).to_numpy()
    return World(known, moved, flags, _reports(draw, known))


def _labels(moved: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each account of a pattern."""
    staged = moved[moved.pattern >= 0]
    ends = pd.concat([staged.rename(columns={end: "id"}) for end in ("src", "dst")])
    return ends[["id", "pattern", "typology"]].drop_duplicates("id")


def _shared_contacts(draw: np.random.Generator, known: pd.DataFrame) -> pd.DataFrame:
    """Let some of the persons of a pattern share a phone, a device or an address."""
    known, kinds = known.copy(), [kind for kind in CONTACTS if kind in known]
    for _, crew in known[known.pattern >= 0].groupby("pattern"):
        if draw.random() < 0.6:
            contact = kinds[draw.integers(len(kinds))]
            some = draw.choice(crew.index.to_numpy(), min(4, len(crew)), replace=False)
            known.loc[some, contact] = known.loc[some[0], contact]
    return known


def _flags(draw: np.random.Generator, known: pd.DataFrame) -> pd.DataFrame:
    """Return what each bank's own screening found: some of those in patterns, and some others."""
    held = known.groupby(["bank", "customer"], as_index=False).pattern.max()
    guilty = held.pattern.to_numpy() >= 0
    found = draw.random(len(held)) < np.where(guilty, 0.4, 0.02)
    risk = np.where(guilty, draw.beta(6, 3, len(held)), draw.beta(2, 4, len(held)))
    flags = held.assign(risk=risk.round(2).clip(0.01))[found]
    return pd.DataFrame({name: flags[name].to_numpy() for name in ("bank", "customer", "risk")})


def _reports(draw: np.random.Generator, known: pd.DataFrame) -> pd.DataFrame:
    """Return suspicions as banks filed them: more of customers in patterns, most of others."""
    likely = np.where(known.pattern >= 0, 4.0, 1.0)
    n = round(FILED * len(known))
    filed = known.iloc[draw.choice(len(known), n, p=likely / likely.sum())].reset_index(drop=True)
    shares = np.array([0.26, 0.2, 0.06, 0.16, 0.12, 0.12, 0.08])
    source = draw.choice(COUNTRIES, n, p=(0.4, 0.3, 0.2, 0.1))
    return pd.DataFrame(
        {
            "bank": filed.bank,
            "customer": filed.customer,
            "typology": draw.choice(TYPOLOGIES, n, p=shares),
            "corridor": [f"{a}-{b}" for a, b in zip(source, filed.country, strict=True)],
            "amount": draw.lognormal(8.6, 0.7, n).clip(100, 90_000).round(2),
        }
    )
