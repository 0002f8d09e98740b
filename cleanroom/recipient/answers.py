"""What a session gave its recipient: rows or a model, the signed statements, what it took."""

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from cleanroom.plan.withheld import Withheld
from cleanroom.recipient.heard import Heard
from cleanroom.session.receipt import Receipt

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from cleanroom.recipient.privacy import Errors

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Stats:
    """What a query took.

    Attributes:
        seconds: from asking to the result.
        rounds: of one computing member.
        bytes_sent: by all members, payload.
        rows: of the result.
    """

    seconds: float
    rounds: int
    bytes_sent: int
    rows: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything that a query gave.

    Attributes:
        columns: what was opened, as `finish` takes it.
        more: a gate has more rows than it opens.
        stored: when it was opened, if it was kept since then.
    """

    table: "pa.Table"
    withheld: Withheld
    receipt: Receipt
    stats: Stats
    without: tuple[str, ...] = ()
    privacy: Mapping[str, Any] = field(default_factory=dict)
    standard_errors: Mapping[str, "Errors"] = field(default_factory=dict)
    more: bool = False
    columns: Mapping[str, "NDArray[Any]"] = field(default_factory=dict)
    stored: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class TrainedModel(Generic[M]):
    """Everything that a training gave; `left` are owners without whom it went on."""

    model: M
    receipt: Receipt
    stats: Stats
    left: tuple[str, ...]


def answer_of(table: "pa.Table", withheld: Withheld, session: Heard, started: float) -> Answer:
    """Return what a session gave that began at `started` of the monotonic clock."""
    stats = stats_of(session, table.num_rows, time.monotonic() - started)
    return Answer(table, withheld, Receipt(tuple(session.signed)), stats)


def stats_of(session: Heard, rows: int, seconds: float) -> Stats:
    """Return what a session took, as its members reported it."""
    finished = session.finished.values()
    return Stats(
        seconds=seconds,
        rounds=max(f.rounds for f in finished),
        bytes_sent=sum(f.bytes_sent for f in finished),
        rows=rows,
    )
