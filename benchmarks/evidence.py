"""What ruling and logging cost a member: a plan checked, a record on disk, a whole log verified.

The limits are what the project promises: 5 ms a plan, 10 ms a record, 10 s for 10^5 records.
"""

import datetime as dt
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import tables
from benchmarks.measure import (
    Asked,
    Line,
    Measured,
    line,
    peak_memory_bytes,
    reset_peak_memory,
    timed,
)
from benchmarks.rooms import QUERIES
from cleanroom.audit.bundle import export
from cleanroom.audit.judging import Case
from cleanroom.audit.log import Log
from cleanroom.audit.record import Kind, Record
from cleanroom.contract.document import Contract
from cleanroom.contract.terms import Terms
from cleanroom.identity.identity import Identity
from cleanroom.policy.check import by_contract
from cleanroom.query.compile import compile_query
from cleanroom.session.member import Membership
from cleanroom.storage.keyfile import Keys
from cleanroom.storage.state import State

_PLAN_S, _RECORD_S, _VERIFIED_S = 0.005, 0.010, 1e-4
_AT_ONCE = 5_000  # records of one transaction, while a log is made


def policy_check(asked: Asked) -> Line:
    """Rule on `rows` plans, of the benchmarks' queries in turn; plaintext is compiling them."""
    terms, today = Terms.of(tables.contract(1000)), dt.date(2026, 1, 1)
    texts = [text for _, text in zip(range(asked.rows), _turns(), strict=False)]
    compile_s, plans = timed(
        lambda: [compile_query(text, terms, "0" * 64, "analyst") for text in texts], 1
    )
    return _measured(
        asked,
        lambda: [by_contract(plan, terms, today) for plan in plans],
        compile_s,
        _PLAN_S,
        lambda rulings: not any(rulings),
    )


def log_append(asked: Asked) -> Line:
    """Log `rows` records, each on disk before the next; plaintext writes and syncs lines."""
    with _state() as (folder, state):
        record = Record.now(Kind.RULED, accepted=True, codes=(), plan_hash="0" * 64)
        content = record.to_bytes() + b"\n"
        log, before = Log(state), 0

        def append() -> int:
            nonlocal before
            before = log.head().size
            for _ in range(asked.rows):
                log.add(record)
            return log.head().size

        def plain() -> None:
            with (folder / "plain.log").open("ab") as file:
                for _ in range(asked.rows):
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())

        plain_s, _ = timed(plain, asked.runs)
        return _measured(
            asked, append, plain_s, _RECORD_S, lambda size: size == before + asked.rows
        )


def log_verify(asked: Asked) -> Line:
    """Verify an exported log of `rows` records; plaintext hashes the file's lines."""
    with _state() as (folder, state):
        log, path = Log(state), folder / "log.jsonl"
        for first in range(0, asked.rows, _AT_ONCE):
            several = range(first, min(first + _AT_ONCE, asked.rows))
            log.add(*(Record.now(Kind.RULED, accepted=True, codes=()) for _ in several))
        export(path, _member(), state)

        def plain() -> None:
            with path.open("rb") as file:
                for each in file:
                    hashlib.sha256(each).digest()

        plain_s, _ = timed(plain, asked.runs)
        return _measured(
            asked,
            lambda: Case.of_file(path).judged(),
            plain_s,
            _VERIFIED_S,
            lambda found: not found.found and found.records == asked.rows,
        )


def _measured(
    asked: Asked,
    work: Callable[[], Any],
    plaintext_s: float,
    limit_s: float,
    is_right: Callable[[Any], bool],
) -> Line:
    reset_peak_memory()
    started = time.process_time()
    seconds, result = timed(work, asked.runs)
    cpu_s = (time.process_time() - started) / asked.runs
    peak = peak_memory_bytes()
    measured = Measured((seconds,) * asked.runs, cpu_s, (0, 0, 0), 0, peak, peak, ())
    right = is_right(result)
    return line(asked, measured, plaintext_s, limit_s * asked.rows, correct=right)


def _turns() -> Iterator[str]:
    while True:
        yield from QUERIES.values()


@contextmanager
def _state() -> Iterator[tuple[Path, State]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with State.open(folder / "state.db", Keys(folder / "state.key"), "benchmark") as state:
            yield folder, state


def _member() -> Membership:
    terms = Terms.of(tables.contract(1000))
    identities = {name: Identity.create(name) for name in (*terms.members, "coordinator")}
    contract = Contract.draft(terms, {name: one.public for name, one in identities.items()})
    for name in terms.members:
        contract = contract.signed_by(identities[name])
    return Membership(identities["bank_a"], contract)


IN_PROCESS = {"policy_check": policy_check, "log_append": log_append, "log_verify": log_verify}
SIZES = {"policy_check": (100,), "log_append": (100,), "log_verify": (100_000,)}
