"""Which times events happen at, and the cells of rows between them.

Rule: both halves of 'survival.times', and what both sides derive from its sums. Opened: how many
rows leave at each point of a public grid of times, and how many of these with an event; this is
what a life table shows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanroom.learning.checks import check_answer, numbers
from cleanroom.learning.errors import StepRefused, TrainingImpossible
from cleanroom.learning.facts import Column, Facts, Floats
from cleanroom.learning.step import Block, Step, Sums, Training

TIMES = "survival.times"
MAX_POINTS = 1 << 17
_HAIR = 1e-9  # of an interval: a time that rounding put just below its point


@dataclass(frozen=True)
class Grid:
    """Points in time, from the declared lower bound of the time column on.

    Attributes:
        interval: between two points, in the column's unit; times count as the point before.
    """

    time: Column
    interval: float

    def __post_init__(self) -> None:
        if self.points > MAX_POINTS:
            what = f"{self.time.name}: more than {MAX_POINTS} points in time"
            raise TrainingImpossible(what, remedy="Choose a longer interval, or tighter bounds.")

    @property
    def points(self) -> int:
        return int((self.time.high - self.time.low) / self.interval + _HAIR) + 1

    def places(self, times: Floats) -> NDArray[np.intp]:
        """Return the point before each time, by its number."""
        found: NDArray[np.intp] = np.floor((times - self.time.low) / self.interval + _HAIR).astype(
            np.intp
        )
        return found

    def at(self, places: Floats) -> Floats:
        """Return the times of points."""
        return self.time.low + places * self.interval

    def blocks(self, facts: Facts) -> tuple[Block, ...]:
        return (Block("leaving", (2, self.points), float(facts.max_rows)),)


@dataclass(frozen=True)
class Cells:
    """Rows by the last event that they were still at risk for.

    Attributes:
        places: (cells,) the grid's points that have an event, in order.
        rows: (cells,) how many rows leave at such a point or after it, before the next.
        events: (cells,) how many of them with an event; all count as at the point itself.
    """

    places: Floats
    rows: Floats
    events: Floats

    def numbers(self) -> dict[str, Floats]:
        return {"places": self.places, "at": self.rows, "events": self.events}

    @classmethod
    def read(cls, grid: Grid, places: Floats, rows: Floats, events: Floats) -> "Cells":
        """Take a step's numbers.

        Raises:
            StepRefused: if they aren't points of the grid in order, with whole counts.
        """
        whole = all(np.array_equal(array, np.floor(array)) for array in (places, rows, events))
        if not whole or not len(places) or places[0] < 0 or places[-1] >= grid.points:
            raise StepRefused("cells that aren't points of the grid")
        if np.any(np.diff(places) <= 0) or np.any(events < 1) or np.any(rows < events):
            raise StepRefused("cells out of order, or without an event")
        return cls(places, rows, events)

    def of(self, places: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return each row's cell; -1 for one that left before the first event."""
        found: NDArray[np.intp] = np.searchsorted(self.places, places, "right") - 1
        return found


def leaving(grid: Grid, facts: Facts, times: Floats, events: Floats, step: Step) -> Sums:
    """Answer 'survival.times': rows with an event, and all, by the point at which they leave."""
    numbers(step)
    check_answer(step, grid.blocks(facts))
    places, happened = grid.places(times), events == 1
    counts = [np.bincount(some, minlength=grid.points) for some in (places[happened], places)]
    return {"leaving": np.array(counts, float)}


def find_cells(
    grid: Grid, facts: Facts, event: Column, name: str = TIMES, least: int = 1, round_: int = 1
) -> Training[Cells]:
    """Take that step.

    Args:
        least: cells with fewer rows are put together with those after them.

    Raises:
        TrainingImpossible: if no event happened.
    """
    sums = yield Step(name, grid.blocks(facts), round=round_)
    happened, left = np.round(sums["leaving"])
    places = np.flatnonzero(happened)
    if not len(places):
        raise TrainingImpossible(f"{event.name}: no event in these rows")
    rows = np.add.reduceat(left, places)
    if rows.sum() < least:
        raise TrainingImpossible(f"{event.name}: fewer than {least} rows up to an event or after")
    first = _joined(rows, least)
    events = np.add.reduceat(happened[places], first)
    return Cells(places[first].astype(float), np.add.reduceat(rows, first), events)


def _joined(rows: Floats, least: int) -> NDArray[np.intp]:
    """Return which cells stay the first of their like, so that each run has enough rows."""
    first, total = [0], 0.0
    for at, here in enumerate(rows):
        if total >= least:
            first.append(at)
            total = 0.0
        total += here
    if total < least and len(first) > 1:
        first.pop()
    return np.array(first, np.intp)
