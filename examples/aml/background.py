"""Customers, accounts and honest payments of three banks, made up from a seed.

Rule: what ordinary life looks like, look-alikes of laundering included: employers fan out, popular
shops fan in, households share addresses and couples devices, people move savings between accounts
of their own at two banks.
"""

import numpy as np
import pandas as pd

from examples.aml.world import BANKS, COUNTRIES, START, Ints

SHARES = (0.45, 0.3, 0.25)  # of the accounts
DAY_MINUTES = 24 * 60
ABROAD = 0.12  # of a bank's accounts


def accounts(draw: np.random.Generator, n: int) -> pd.DataFrame:
    """Return `n` accounts; about three of ten customers have some at several banks."""
    n_customers = round(0.72 * n)
    extra = draw.choice(n_customers, n - n_customers)
    bank = draw.choice(len(BANKS), n, p=SHARES)
    bank[n_customers:] = (bank[extra] + draw.integers(1, len(BANKS), len(extra))) % len(BANKS)
    found = described(draw, bank, np.concatenate([np.arange(n_customers), extra]))
    numbers = 100_000 + draw.permutation(900_000)[:n]
    return found.assign(id=numbers).sort_values("id", ignore_index=True)


def described(draw: np.random.Generator, bank: Ints, owner: Ints) -> pd.DataFrame:
    """Return accounts at these banks of these customers, with countries and contacts.

    Args:
        owner: of each account its customer, numbered from 0 without a gap.
    """
    n = int(owner.max()) + 1
    abroad = draw.random(len(bank)) < ABROAD
    country = np.where(abroad, draw.integers(0, len(COUNTRIES), len(bank)), bank)
    household = draw.integers(0, round(n / 1.6), n)
    device = np.where(draw.random(n) < 0.1, -household - 1, np.arange(n))
    phones, homes = draw.choice(10**7, n, replace=False), _numbered(draw, household)
    return pd.DataFrame(
        {
            "bank": np.array(BANKS)[bank],
            "customer": (10_000 + draw.permutation(90_000)[:n])[owner],
            "country": np.array(COUNTRIES)[country],
            "phone": [f"06-{i:07d}" for i in phones[owner]],
            "device": [f"{i:08x}" for i in _numbered(draw, device)[owner]],
            "address": [f"{i % 97 + 1} Street {i // 97}" for i in homes[owner]],
        }
    )


def _numbered(draw: np.random.Generator, groups: Ints) -> Ints:
    """Give each group a number of its own."""
    _, places = np.unique(groups, return_inverse=True)
    return draw.choice(10**7, int(places.max()) + 1, replace=False)[places]


def payments(
    draw: np.random.Generator, known: pd.DataFrame, n: int, days: int, limit: float
) -> pd.DataFrame:
    """Return about `n` honest payments over `days`, most between regular counterparties."""
    ids = known.id.to_numpy()
    popular = np.minimum(draw.pareto(1.6, len(ids)) + 0.3, 25)
    popular /= popular.sum()
    active = draw.lognormal(0, 0.7, len(ids))
    regular = draw.choice(len(ids), (len(ids), 5), p=popular)
    src = draw.choice(len(ids), n, p=active / active.sum())
    often, seldom = regular[src, draw.integers(0, 5, n)], draw.choice(len(ids), n, p=popular)
    dst = np.where(draw.random(n) < 0.85, often, seldom)
    minute = draw.integers(0, days, n) * DAY_MINUTES + draw.integers(360, 1380, n)
    amount = draw.lognormal(4.4, 1.2, n)
    everyday = pd.DataFrame({"src": ids[src], "dst": ids[dst], "amount": amount, "minute": minute})
    parts = [everyday, _salaries(draw, ids, days), _savings(draw, known, days, limit)]
    found = pd.concat(parts, ignore_index=True)
    found = found[(found.src != found.dst) & (found.minute < days * DAY_MINUTES)]
    return found.assign(amount=found.amount.clip(1, 90_000).round(2))


def _salaries(draw: np.random.Generator, ids: Ints, days: int) -> pd.DataFrame:
    """Return what employers pay on the same day of each month."""
    parts = []
    for employer in draw.choice(ids, max(len(ids) // 150, 1), replace=False):
        staff = draw.choice(ids, draw.integers(5, 16), replace=False)
        wages, payday = draw.normal(2800, 700, len(staff)).clip(900), int(draw.integers(0, 28))
        for day in range(payday, days, 30):
            minute = day * DAY_MINUTES + draw.integers(480, 600, len(staff))
            paid = {"src": employer, "dst": staff, "amount": wages, "minute": minute}
            parts.append(pd.DataFrame(paid))
    return pd.concat(parts)


def _savings(
    draw: np.random.Generator, known: pd.DataFrame, days: int, limit: float
) -> pd.DataFrame:
    """Return what people move between accounts of their own."""
    pairs = known.merge(known, on="customer", suffixes=("", "_2"))
    pairs = pairs[pairs.id != pairs.id_2].sample(frac=0.3, random_state=draw)
    return pd.DataFrame(
        {
            "src": pairs.id,
            "dst": pairs.id_2,
            "amount": draw.uniform(50, 0.6 * limit, len(pairs)),
            "minute": draw.integers(0, days * DAY_MINUTES, len(pairs)),
        }
    )


def booked(minutes: "pd.Series[int]") -> "pd.Series[pd.Timestamp]":
    """Return moments, in whole minutes from the first day on."""
    return START + pd.to_timedelta(minutes, unit="min")
