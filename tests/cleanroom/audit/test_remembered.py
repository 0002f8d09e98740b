"""What a recipient holds members to from one session to the next, whoever relays their rulings."""

from pathlib import Path

import kept
import pytest

from cleanroom.audit import remembered
from cleanroom.errors import LogDiverged, RowsChanged
from cleanroom.session.statements import Committed, Request, Ruling, new_session
from cleanroom.storage.state import State

PLAN, CONTRACT = "b" * 64, "c" * 64
LATER = 1 << 40  # an hour that is after everything


@pytest.fixture
def state(tmp_path: Path) -> State:
    return kept.state(tmp_path)


def ruling(size: int, root: str, *inputs: tuple[str, int, str]) -> Ruling:
    rows = tuple(Committed(table=t, epoch=epoch, root=r * 64) for t, epoch, r in inputs)
    return Ruling(
        session="0" * 32,
        contract_hash=CONTRACT,
        plan_hash=PLAN,
        party="bank_a",
        accepted=True,
        violations=(),
        log_size=size,
        log_root=root * 64,
        inputs=rows,
    )


def session(state: State, stated: Ruling, issued_at: int = LATER) -> None:
    request = Request(
        session=new_session(),
        contract_hash=CONTRACT,
        recipient="analyst",
        sql="SELECT 1",
        plan_hash=PLAN,
        members=("bank_a",),
        issued_at=issued_at,
        deadline_s=60,
    )
    with state.writing() as batch:
        remembered.remember(batch, request, {"bank_a": stated}, "d" * 64)


def test_logs_may_grow_and_epochs_may_begin(state: State) -> None:
    session(state, ruling(3, "1", ("t", 0, "a")))
    session(state, ruling(3, "1", ("t", 0, "a")))
    session(state, ruling(9, "2", ("u", 0, "b")))
    session(state, ruling(12, "3", ("t", 1, "c")))
    with pytest.raises(RowsChanged, match="t: other rows than before in epoch 1"):
        session(state, ruling(13, "4", ("t", 1, "d")))
    with pytest.raises(RowsChanged, match="t: went back to epoch 0"):
        session(state, ruling(13, "4", ("t", 0, "a")))
    with pytest.raises(RowsChanged, match="u: other rows"):
        session(state, ruling(13, "4", ("u", 0, "c")))


@pytest.mark.parametrize(("size", "says"), [(8, "had 9 records before, and 8 now"), (9, "two")])
def test_logs_that_shrink_or_change_are_found(state: State, size: int, says: str) -> None:
    session(state, ruling(9, "1"))
    with pytest.raises(LogDiverged, match=says) as found:
        session(state, ruling(size, "2"))
    assert found.value.party == "bank_a"
    with state.writing() as batch:
        remembered.drop(batch, "bank_a")
    session(state, ruling(size, "2"))


def test_sessions_that_end_in_another_order_blame_nobody(state: State) -> None:
    session(state, ruling(9, "1", ("t", 1, "b")))
    session(state, ruling(7, "2", ("t", 0, "a")), issued_at=0)
    with pytest.raises(LogDiverged):
        session(state, ruling(8, "3"))
