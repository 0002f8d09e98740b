"""How much more laundering three banks find: alone, federated, and with joint features.

Models are tested on patterns that they weren't trained on. The study runs in plaintext; then a
room of processes computes the joint features on shares, trains on them, and finds as much.
"""

from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
from matplotlib.figure import Figure
from scipy import stats
from sklearn.metrics import average_precision_score

from cleanroom import LocalRoom, compare, pooled
from examples.aml.data import generate, load
from examples.aml.world import BANKS, World
from examples.lift.contract import NOT_FEATURES, contract
from examples.lift.features import SPREAD, cases, joint, own, scores

Terms: TypeAlias = dict[str, Any]
TITLES = {
    "auprc": "AUPRC",
    "precision_at_20": "precision at 20 % recall",
    "precision_at_50": "precision at 50 % recall",
}
JOINT = "federated, joint features"
TESTED = 3  # folds of ten, in the room's run


def main(data: Path | None, output: Path) -> bool:
    """Run the study; return whether the room's features and model are those of plaintext."""
    world = generate() if data is None else load(data)
    return study(world, output, seeds=10, trees=60)


def study(world: World, output: Path, *, seeds: int, trees: int) -> bool:
    """Compare arms over seeds in plaintext, and have a room do it once."""
    features = own(world)
    start = scores(features)
    known = pd.concat([world.accounts[["id", "bank"]], cases(world), features], axis=1)
    in_plain = known.join(joint(world, start).add_prefix("payers_"))
    found = [compare(*given(rows, trees), seeds=range(seeds)) for rows in (known, in_plain)]
    tables = {m: with_joint(*(one.table(m) for one in found)) for m in TITLES}
    print(f"{len(known)} accounts, {len(world.payments)} payments; {seeds} seeds\n")
    for table in tables.values():
        print(table.round(3).to_string(index=False), "\n")
    print(gain(*(one.scores for one in found)))
    plot(tables, output / "lift.png")
    on_shares = known.join(told(world, known.join(start.add_prefix("share_"))))
    return same(on_shares, in_plain, trees)


def gain(own_features: pd.DataFrame, joint_features: pd.DataFrame) -> str:
    """Say by how much joint features raise AUPRC, on the same patterns."""
    worth = [f[f.arm == "federated"].auprc.to_numpy() for f in (own_features, joint_features)]
    more = worth[1] - worth[0]
    half = float(stats.t.ppf(0.975, len(more) - 1) * stats.sem(more))
    low, high = more.mean() - half, more.mean() + half
    return f"Joint features add {more.mean():.3f} to AUPRC ({low:.3f} to {high:.3f})."


def with_joint(own_features: pd.DataFrame, joint_features: pd.DataFrame) -> pd.DataFrame:
    """Return the arms on own features, and below them the federated one on joint features."""
    joined = joint_features[joint_features.arm == "federated"].assign(arm=JOINT)
    return pd.concat([own_features[own_features.arm != "pooled"], joined])


def given(rows: pd.DataFrame, trees: int, *where: str) -> tuple[Terms, Terms, Terms]:
    """Return a training of these rows: the job, its contract, and each bank's rows."""
    columns = ", ".join(c for c in map(str, rows) if c not in NOT_FEATURES)
    settings = {"kind": "gbdt", "trees": trees, "max_depth": 4, "learning_rate": 0.1}
    asked = {
        "name": "laundering",
        "purpose": "find laundering",
        "rows": " ".join(("SELECT", columns, ", laundering FROM accounts", *where)),
        "target": "laundering",
    }
    accounts = {bank: rows[rows.bank == bank] for bank in BANKS}
    return {"job": asked, "model": settings}, contract(rows), {"accounts": accounts}


def told(world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """Have every bank ask a room for its own accounts' joint features."""
    accounts = {bank: rows[rows.bank == bank] for bank in BANKS}
    tables = {"accounts": accounts, "credits": world.tables()["credits"]}
    found = {}
    with LocalRoom(contract(rows, flows=True), tables) as room:
        print(room.as_member(BANKS[0]).explain_propagate(SPREAD[0], rounds=1))
        for name in SPREAD:
            parts = [room.as_member(b).propagate(name, rounds=1).to_pandas() for b in BANKS]
            found[f"payers_{name}"] = pd.concat(parts).set_index("account").score
            print(f"payers_{name}: each bank learnt it of its own accounts")
    return pd.DataFrame(found).reindex(rows.id).reset_index(drop=True).astype(float).round(6)


def same(on_shares: pd.DataFrame, in_plain: pd.DataFrame, trees: int) -> bool:
    """Train in a room on the room's features, in plaintext on plaintext's; tell if they agree."""
    job, terms, tables = given(on_shares, trees, f"WHERE fold >= {TESTED}")
    with LocalRoom(terms, tables, recipient="supervisor") as room:
        ours = room.train(job).model
    ceiling = pooled(*given(in_plain, trees, f"WHERE fold >= {TESTED}"))
    names = [f"payers_{name}" for name in SPREAD]
    off = float((on_shares[names] - in_plain[names]).abs().to_numpy().max())
    test = in_plain.fold < TESTED
    arms = ((ours, on_shares[test]), (ceiling, in_plain[test]))
    truth = in_plain.laundering[test]
    ours_worth, best = (
        float(average_precision_score(truth, model.predict({str(c): rows[c] for c in rows})))
        for model, rows in arms
    )
    print(f"\nJoint features in the room differ from plaintext by at most {off:.0e}.")
    print(f"AUPRC on {TESTED} of 10 folds: {ours_worth:.3f} in the room, {best:.3f} in plaintext.")
    print("The supervisor learnt the training's sums, and no account.")
    equal = off < 1e-4 and abs(ours_worth - best) < 0.001
    print(f"equal: {'yes' if equal else 'NO'}")
    return equal


def plot(tables: dict[str, pd.DataFrame], file: Path) -> None:
    """Draw means and 95 % intervals of each measure and arm."""
    figure = Figure(figsize=(9, 2.6), layout="constrained")
    places = figure.subplots(1, 3, sharey=True)
    for axes, (measure, table) in zip(places, tables.items(), strict=True):
        half = (table["high"] - table[measure]).fillna(0)
        axes.errorbar(table[measure], table.arm, xerr=half, fmt="o", capsize=3)
        axes.set_title(TITLES[measure], fontsize=10)
        axes.grid(axis="x", alpha=0.3)
    places[0].invert_yaxis()
    figure.savefig(file, dpi=90)
    print(f"Figure: {file}")
