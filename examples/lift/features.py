"""What a bank knows of its own accounts, and what only all banks know together.

Rule: `own` reads payments of an account's own customer alone. `joint` is plaintext, as if one party
had all payments: what the room computes on shares is measured against it.
"""

import numpy as np
import pandas as pd
from scipy import sparse

from examples.aml.world import World

SPREAD = ("n_in", "n_out", "fan_out", "through")  # what flows along payments, one score each
FOLDS = 10


def own(world: World) -> pd.DataFrame:
    """Return each account's features from its own payments, in the order of the accounts."""
    days = (world.payments.booked - world.payments.booked.min()) / pd.Timedelta(days=1)
    seen = world.payments.assign(day=days, week=days // 7)
    found: dict[str, pd.Series] = {}
    for side, me, other in (("in", "dst", "src"), ("out", "src", "dst")):
        mine = seen.groupby(me)
        found |= {
            f"n_{side}": mine.size(),
            f"sum_{side}": mine.amount.sum(),
            f"mean_{side}": mine.amount.mean(),
            f"largest_{side}": mine.amount.max(),
            f"others_{side}": mine[other].nunique(),
            f"fan_{side}": seen.groupby([me, "week"])[other].nunique().groupby(me).max(),
            f"days_{side}": mine.day.max() - mine.day.min(),
        }
    came, went = seen[["dst", "day", "amount"]], seen[["src", "day", "amount"]]
    both = came.merge(went, left_on="dst", right_on="src", suffixes=("", "_out"))
    soon = (both.day_out - both.day).between(0, 2)
    alike = (both.amount_out / both.amount).between(0.9, 1.1)
    found["through"] = both[soon & alike].groupby("dst").size()
    table = pd.DataFrame(found).reindex(world.accounts.id).fillna(0).reset_index(drop=True)
    table["balance"] = table.sum_in / (table.sum_in + table.sum_out).clip(lower=0.01)
    return table.round(3)


def scores(features: pd.DataFrame) -> pd.DataFrame:
    """Return what flows, from 0 to 1: a bank scales by a bound that all agree on, 100."""
    shares: pd.DataFrame = np.log1p(features[list(SPREAD)].clip(upper=100)) / np.log1p(100)
    return shares.round(3)


def joint(world: World, start: pd.DataFrame) -> pd.DataFrame:
    """Return each score as an account's payers have it, weighed by what they paid."""
    place = pd.Series(range(len(world.accounts)), index=world.accounts.id)
    source, target = (place.loc[world.payments[end]].to_numpy() for end in ("src", "dst"))
    n = len(place)
    moved = sparse.csr_array((world.payments.amount.to_numpy(), (target, source)), shape=(n, n))
    total = np.maximum(moved.sum(axis=1), 0.01)[:, None]
    return pd.DataFrame((moved @ start.to_numpy()) / total, columns=start.columns).round(6)


def cases(world: World) -> pd.DataFrame:
    """Return label, case and fold of each account: a pattern's accounts are one case."""
    guilty = world.accounts.pattern >= 0
    alone = world.accounts.pattern.max() + 1 + np.arange(len(world.accounts))
    case = world.accounts.pattern.where(guilty, alone).to_numpy()
    fold = np.random.default_rng(0).integers(0, FOLDS, case.max() + 1)[case]
    return pd.DataFrame({"laundering": guilty.to_numpy(), "case_id": case, "fold": fold})
