"""Noisy answers that a recipient keeps: the same question gets the same answer, at no cost.

Rule: what is kept is what was opened, by what it is a total of. So the same totals under other
names, in another order, or chosen otherwise by HAVING and LIMIT, are the same question. Whoever
loses these answers, or asks anew, pays again.
"""

import datetime as dt
import json
import threading
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from cleanroom.errors import CleanroomError
from cleanroom.plan.noise import QueryNoise
from cleanroom.plan.plan import Plan
from cleanroom.query.canonical import digest
from cleanroom.session.receipt import Receipt
from cleanroom.storage.state import State

TABLE = "answers"
logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Kept:
    """What was opened of an earlier session: columns as `finish` takes them, and when (UTC)."""

    columns: Mapping[str, NDArray[Any]]
    when: dt.datetime
    receipt: Receipt


class Stored:
    """The answers of one process. Safe to use from many threads; close it after use.

    Args:
        opens: this process's state, when it is first needed.
        days: for which the contract keeps results.
    """

    def __init__(self, opens: Callable[[], State], days: int) -> None:
        self._opens, self._days = opens, days
        self._state: State | None = None
        self._opening = threading.Lock()

    def close(self) -> None:
        """Close the state, if it was needed."""
        with self._opening:
            if self._state is not None:
                self._state.close()
                self._state = None

    def find(self, plan: Plan) -> Kept | None:
        """Return what was opened when the question was asked before.

        Raises:
            StateUnavailable, StateDamaged: if the state can't be used. To ask nevertheless would
                cost what may be there already.
        """
        if plan.noise is None:
            return None
        with self._opened().reading() as view:
            value = view.get(TABLE, _name(plan, plan.noise))
        return None if value is None else _read(plan.noise, plan, value)

    def keep(self, plan: Plan, columns: Mapping[str, NDArray[Any]], receipt: Receipt) -> None:
        """Keep what was opened; if that fails, it is asked again the next time, and paid for."""
        if plan.noise is None:
            return
        now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        expires = now.date() + dt.timedelta(days=self._days)
        value = _written(plan.noise, plan, Kept(columns, now, receipt))
        try:
            with self._opened().writing() as batch:
                name = _name(plan, plan.noise)
                batch.put(TABLE, name, value, about=plan.tables, expires=expires)
        except CleanroomError as error:
            logger.warning("an answer isn't kept", code=error.code)

    def _opened(self) -> State:
        with self._opening:
            if self._state is None:
                self._state = self._opens()
            return self._state


def _name(plan: Plan, noise: QueryNoise) -> str:
    """Name a question: what is asked of which rows, by whom, at which cost."""
    asked = sorted(total.form for total in noise.totals)
    where = [plan.contract_hash, plan.recipient, plan.purpose, plan.protocol, list(plan.without)]
    return digest([where, noise.rows_form, sorted(noise.keys), asked, repr(noise.epsilon)])


def _columns(noise: QueryNoise, plan: Plan) -> dict[str, str]:
    """Return form -> name in this plan, of every column that is opened."""
    keys = (key.name for key in plan.root.input.cells)
    totals = {total.form: total.name for total in noise.totals}
    return {**dict(zip(noise.keys, keys, strict=True)), **totals}


def _written(noise: QueryNoise, plan: Plan, kept: Kept) -> bytes:
    found = {}
    for form, name in _columns(noise, plan).items():
        parts = {"": name, "_0": f"{name}_0", "_null": f"{name}_null"}
        found[form] = {
            part: [str(kept.columns[column].dtype), kept.columns[column].tolist()]
            for part, column in parts.items()
            if column in kept.columns
        }
    text = {"when": kept.when.isoformat(), "columns": found, "receipt": kept.receipt.to_json()}
    return zlib.compress(json.dumps(text).encode())


def _read(noise: QueryNoise, plan: Plan, value: bytes) -> Kept:
    text = json.loads(zlib.decompress(value))
    columns = {
        f"{name}{part}": np.array(values, dtype=kind)
        for form, name in _columns(noise, plan).items()
        for part, (kind, values) in text["columns"][form].items()
    }
    when = dt.datetime.fromisoformat(text["when"])
    return Kept(columns, when, Receipt.from_json(text["receipt"]))
