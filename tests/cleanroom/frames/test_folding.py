"""Steps folded into one SELECT give what they give one after the other, each on stored rows."""

from collections.abc import Callable

import duckdb
import frames
import numpy as np
import pytest
import rooms
from sqlglot import exp

from cleanroom.contract.types import Kind
from cleanroom.errors import CleanroomError
from cleanroom.frames import Expression, Frame, col, count, lit
from cleanroom.frames.block import Block, Column, Source, reference
from cleanroom.sql.expr import column

TABLES = ("alpha.people", "beta.claims", "gamma.members", "transactions")
HOW = ("inner", "left", "right", "full", "semi", "anti")
Step = Callable[[Frame], Frame]


class Dice:
    """Seeded choices of steps that fit a frame's columns."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.default_rng(seed)

    def below(self, n: int) -> int:
        return int(self._generator.integers(n))

    def one(self, options: list[str]) -> str:
        return options[self.below(len(options))]

    def of_kind(self, frame: Frame, *kinds: Kind) -> list[str]:
        found = frame.block.columns.items()
        return [name for name, one in found if one.bound.domain.kind in kinds]

    def number(self, frame: Frame) -> str:
        return self.one(self.of_kind(frame, Kind.INTEGER, Kind.DECIMAL))

    def condition(self, frame: Frame) -> Expression:
        texts = self.of_kind(frame, Kind.TEXT)
        match self.below(4):
            case 0 if texts:
                return col(self.one(texts)).is_in(["nsw", "car", "web", "Bo Li"])
            case 1 if texts:
                return ~(col(self.one(texts)) == "vic") | (col(self.number(frame)) > 30)
            case 2:
                return col(self.one(list(frame.columns))).is_not_null()
            case _:
                return (col(self.number(frame)) - 5) * 2 > self.below(40)

    def step(self, frame: Frame) -> Step:
        """Return a step that the frame can take, and whatever it is turned into."""
        names = list(frame.columns)
        match self.below(8):
            case 0 | 1:
                condition = self.condition(frame)
                return lambda f: f.filter(condition)
            case 2:
                name, number = self.one([*names, "made"]), self.number(frame)
                made = (col(number) + self.below(9)).fill_null(lit(self.below(9)))
                return lambda f: f.with_columns(**{name: made})
            case 3:
                kept = [name for name in names if self.below(3)]
                kept += [] if self.number(frame) in kept else [self.number(frame)]
                return lambda f: f.select(*dict.fromkeys(kept))
            case 4:
                old = self.one(names)
                return lambda f: f.sort(old).rename({old: f"{old}_2"})
            case 5:
                keys, number = {self.one(names), self.one(names)}, self.number(frame)
                where = self.condition(frame)
                return lambda f: f.group_by(*sorted(keys)).agg(
                    rows=count(), top=col(number).max(), held=col(number).sum(where=where)
                )
            case 6:
                along = col(self.number(frame)).sum().over(self.one(names))
                return lambda f: f.with_columns(**{f"along_{len(names)}": along})
            case _:
                return lambda f: f.unique()


def stored(frame: Frame, held: duckdb.DuckDBPyConnection, name: str) -> Frame:
    """Compute a frame and return one of its rows."""
    held.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {frame.sql()}")
    columns = {
        known: Column(reference(known, name), column(0, known, found.bound.domain))
        for known, found in frame.block.columns.items()
    }
    return Frame(frame.room, Block((Source(name, exp.to_table(name)),), columns))


def taken(dice: Dice, frame: Frame, n: int, also: Frame) -> tuple[Frame, Frame]:
    """Take steps that fit both, on the frame and, one by one, on its stored twin."""
    held = also.room
    for _ in range(n):
        step = dice.step(frame)
        try:
            frame = step(frame)
        except CleanroomError:  # such as two columns of one name
            continue
        also = stored(step(also), held, f"step_{dice.below(10**9)}")
    return frame, also


@pytest.mark.parametrize("seed", range(20))
def test_folded_steps_are_steps_one_by_one(seed: int, pooled: duckdb.DuckDBPyConnection) -> None:
    pooled.execute("PRAGMA disable_optimizer")  # it fails on some windows below outer joins
    dice = Dice(seed)
    pairs = []
    for name in (TABLES[dice.below(4)], TABLES[dice.below(4)]):
        frame = frames.table(name, pooled)
        pairs.append(
            taken(dice, frame, 1 + dice.below(3), stored(frame, pooled, f"start_{len(pairs)}"))
        )
    (left, left_twin), (right, right_twin) = pairs
    how, on = HOW[dice.below(6)], {"left_on": dice.number(left), "right_on": dice.number(right)}
    folded = left.join(right, how=how, **on)
    twin = stored(left_twin.join(right_twin, how=how, **on), pooled, "joined")
    folded, twin = taken(dice, folded, dice.below(4), twin)
    got, expected = (pooled.sql(frame.sql()).df() for frame in (folded, twin))
    assert list(got.columns) == list(expected.columns)
    assert rooms.cells(got, ordered=False) == rooms.cells(expected, ordered=False), folded.sql()
