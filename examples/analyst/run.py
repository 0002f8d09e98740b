"""A researcher who owns nothing asks a newspaper and three shops about a campaign, without SQL."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cleanroom import Frame, LocalRoom, Room, col, count, private
from examples.analyst import plaintext
from examples.analyst.data import Rows, rows
from examples.analyst.figure import drawn

HERE = Path(__file__).parent
SOUGHT = {"sought": "garden"}  # which of the shops' customers the researcher is interested in
JOB = {"name": "returning", "purpose": "who comes back", "target": "returned"}
LEARNT = """\
What every party learnt
  researcher: the tables and the model above; of ciphertexts also totals of few persons, as the
    contract has it (untested_cells); no row, no person
  paper: the text of the questions, and nothing of anybody's customers
  north, south, west: the text, in which :sought stands for what is sought; of others' rows how many
    there are, up to a power of two, and uniform shares and masked sums
  coordinator: who asked what and when, and ciphertexts without a key to them"""


def main(data: Path | None, output: Path) -> bool:
    """Run the study; return whether every answer is that of the pooled plaintext."""
    tables = rows(data)
    with LocalRoom(HERE / "room.toml", tables) as room:
        look(room)
        rehearse(room)
        refused(room)
        found, right = ask(room, tables)
        right &= train(room, tables)
    noisy, within = spend(tables)
    (output / "analyst.png").write_bytes(drawn(found, noisy))
    print(f"\n{LEARNT}\nFigure: {output / 'analyst.png'}")
    return right and within


def questions(room: Room) -> dict[str, Frame]:
    """Return what the researcher wants to know."""
    readers, customers = room.table("paper.readers"), room.table("customers")
    both = readers.join(customers, on="person")
    groups = ["age", "saw"]
    return {
        "reach": readers.group_by(*groups).agg(readers=count()).sort(*groups),
        "overlap": both.group_by(*groups).agg(customers=col("person").n_unique()).sort(*groups),
        "averages": both.group_by("saw")
        .agg(spent=col("spent").mean(), visits=col("visits").mean(), rows=count())
        .sort("saw"),
        "garden": customers.filter(col("favourite") == private("sought"))
        .group_by(hundreds=col("spent") // 100)
        .agg(customers=count())
        .sort("hundreds"),
    }


def look(room: Room) -> None:
    """See what there is, before anything is asked of it."""
    profile = room.profile("customers")
    print("1. A table as the contract and its owners describe it")
    print(profile.to_pandas().to_string(index=False), profile.rows, sep="\n")


def rehearse(room: Room) -> None:
    """Try a question on made-up rows of the same contract: nobody is asked."""
    print("\n2. The same question on made-up rows")
    with room.mock(rows=100) as twin:
        print(f"  columns: {', '.join(asked(questions(twin)['garden'], 'garden').columns)}")


def refused(room: Room) -> None:
    """Ask too much, read why not, and ask what passes."""
    both = room.table("paper.readers").join(room.table("customers"), on="person")
    by_age = both.group_by("age")
    print("\n3. A question that is refused, and one that passes")
    for frame in (by_age.agg(most=col("spent").max()), by_age.agg(mean=col("spent").mean())):
        sheet = frame.explain()
        faults = [fault for ruling in sheet.rulings for fault in ruling.violations]
        print(f"  {frame.sql().splitlines()[0]}: {'accepted' if sheet.accepted else 'refused'}")
        for fault in faults[:1]:
            print(f"    {fault.message}\n    Remedy: {fault.remedy}")


def ask(room: Room, tables: Rows) -> tuple[dict[str, pd.DataFrame], bool]:
    """Ask, and compare with the pooled plaintext."""
    found, right = {}, True
    for number, (name, frame) in enumerate(questions(room).items(), start=4):
        print(f"\n{number}. {name}")
        print(frame.explain().text if name == "overlap" else frame.sql())
        found[name] = asked(frame, name)
        pooled = plaintext.answer(tables, frame.sql(), SOUGHT if name == "garden" else None)
        right &= shown(found[name], plaintext.same(found[name], pooled))
    return found, right


def asked(frame: Frame, name: str) -> pd.DataFrame:
    """Collect one question's answer."""
    more: dict[str, Any] = {"private": SOUGHT} if name == "garden" else {}
    return frame.collect(on_progress=progress, **more).to_pandas()


def train(room: Room, tables: Rows, l2: float = 1.0) -> bool:
    """Fit who comes back on all shops' rows, which stay where they are."""
    customers = room.table("customers").select("visits", "spent", "returned")
    job = {"job": {**JOB, "rows": customers.sql()}, "model": {"kind": "logistic", "l2": l2}}
    trained = room.train(job, on_progress=progress)
    said = trained.model.predict(pd.concat(tables["customers"].values())[["visits", "spent"]])
    expected = plaintext.probabilities(tables, ["visits", "spent"], "returned", l2)
    print("\n8. a model of who comes back")
    return shown(trained.curve[["round", "loss"]], bool(np.allclose(said, expected, rtol=1e-6)))


def spend(tables: Rows) -> tuple[pd.DataFrame, bool]:
    """Ask in a room with noisy answers, twice, and see what is left of the budget."""
    print("\n9. a room with the newspaper alone, whose answers are noisy")
    with LocalRoom(HERE / "noisy.toml", {"paper.readers": tables["paper.readers"]}) as room:
        frame = room.table("paper.readers").group_by("age").agg(readers=count()).sort("age")
        result = frame.collect(epsilon=0.3, on_progress=progress)
        again = frame.collect(epsilon=0.3)
        left = frame.explain(epsilon=1.0).rulings[0].violations[0].message
    error, noisy = float(str(result.standard_errors["readers"])), result.to_pandas()
    pooled = plaintext.answer(tables, frame.sql())
    apart = float(np.abs(noisy["readers"] - pooled["readers"]).max())
    print(noisy.assign(standard_error=error).to_string(index=False))
    print(f"  asked again: the answer of {again.stored:%H:%M} UTC, at no cost; asked more: {left}")
    print(
        f"within 5 standard errors of the pooled plaintext: {'yes' if apart < 5 * error else 'NO'}"
    )
    return noisy.assign(error=error), apart < 5 * error


def shown(answer: pd.DataFrame, same: bool) -> bool:
    print(answer.to_string(index=False))
    print(f"equal: {'yes' if same else 'NO'}")
    return same


def progress(stage: str, member: str) -> None:
    """Show on a terminal how far a member is, and nothing of it in a file."""
    if sys.stderr.isatty():
        print(f"\r\033[K{member}: {stage}", end="\r", file=sys.stderr, flush=True)
