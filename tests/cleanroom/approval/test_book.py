"""Decisions about plans in a member's state: used up once, bounded, and kept over restarts."""

import datetime as dt
import threading
from pathlib import Path

import pytest

from cleanroom.approval.book import MAX_WAITING, WAITING_DAYS, Approvals
from cleanroom.approval.entry import State
from cleanroom.audit.log import Log
from cleanroom.audit.record import Kind, Record
from cleanroom.errors import ApprovalUnknown, StateRestored
from cleanroom.session.statements import Request, Signed, new_session
from cleanroom.storage.keyfile import Keys
from cleanroom.storage.state import State as Storage

TODAY = dt.date(2026, 3, 1)
PLAN = "ab" * 32


def opened(folder: Path, today: dt.date = TODAY) -> Storage:
    return Storage.open(folder / "state.db", Keys(folder / "state.key"), "r", today=lambda: today)


def asked(approvals: Approvals, plan: str = PLAN, by: str = "analyst") -> bool:
    request = Request(
        session=new_session(),
        contract_hash="0" * 64,
        recipient=by,
        sql="SELECT 1",
        plan_hash=plan,
        members=("bank_a",),
        issued_at=0,
        deadline_s=1,
    )
    signed = Signed("request", by, request.model_dump_json().encode(), bytes(64))
    return approvals.ask(request, signed, "query", TODAY, ("bank_a.accounts",))


def state_of(approvals: Approvals, today: dt.date = TODAY) -> State:
    return approvals.named(PLAN).state(today)


def test_what_was_approved_runs_as_often_as_that(tmp_path: Path) -> None:
    with opened(tmp_path) as state:
        approvals = Approvals(state)
        assert asked(approvals)
        assert (state_of(approvals), approvals.take(PLAN, TODAY)) == (State.WAITING, False)
        approvals.approve(PLAN[:8], 2, None)
    with opened(tmp_path) as state:
        approvals = Approvals(state)
        assert [approvals.take(PLAN, TODAY) for _ in range(3)] == [True, True, False]
        assert state_of(approvals) is State.USED
        assert asked(approvals)
        assert state_of(approvals) is State.WAITING
        assert not approvals.take("cd" * 32, TODAY)


def test_a_day_ends_an_approval_and_a_denial_stays(tmp_path: Path) -> None:
    with opened(tmp_path) as state:
        approvals = Approvals(state)
        asked(approvals)
        approvals.approve(PLAN, None, TODAY)
        assert approvals.take(PLAN, TODAY)
        assert not approvals.take(PLAN, TODAY + dt.timedelta(days=1))
        approvals.deny(PLAN, "no")
        asked(approvals)
        assert (state_of(approvals), approvals.named(PLAN).reason) == (State.DENIED, "no")
        assert not approvals.take(PLAN, TODAY)


def test_one_approval_lets_one_of_many_run_at_once(tmp_path: Path) -> None:
    with opened(tmp_path) as state:
        approvals = Approvals(state)
        asked(approvals)
        approvals.approve(PLAN, 1, None)
        taken: list[bool] = []
        threads = [
            threading.Thread(target=lambda: taken.append(approvals.take(PLAN, TODAY)))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(taken) == 1


def test_a_recipient_can_not_fill_the_state_nor_push_others_out(tmp_path: Path) -> None:
    with opened(tmp_path) as state:
        approvals = Approvals(state)
        kept = [asked(approvals, f"{number:064x}") for number in range(MAX_WAITING + 2)]
        assert kept == [True] * MAX_WAITING + [False] * 2
        assert asked(approvals, f"{3:064x}")  # it waits already
        assert asked(approvals, PLAN, by="auditor")
        assert len(approvals.entries()) == MAX_WAITING + 1
    with opened(tmp_path, TODAY + dt.timedelta(days=WAITING_DAYS)) as state:
        assert Approvals(state).entries() == ()


def test_a_plan_is_named_by_enough_digits(tmp_path: Path) -> None:
    with opened(tmp_path) as state:
        approvals = Approvals(state)
        asked(approvals)
        asked(approvals, PLAN[:-1] + "0")
        for digits in (PLAN[:7], PLAN[:8], "0" * 64):
            with pytest.raises(ApprovalUnknown):
                approvals.approve(digits, 1, None)
        assert approvals.approve(PLAN, 1, None).plan_hash == PLAN


@pytest.mark.parametrize("times", [1, None])
def test_a_state_out_of_a_backup_uses_no_approval(tmp_path: Path, times: int | None) -> None:
    with opened(tmp_path) as state:
        approvals = Approvals(state)
        asked(approvals)
        approvals.approve(PLAN, times, None)
        with state.writing() as batch:
            batch.mark_restored("out of a backup")
        with pytest.raises(StateRestored):
            approvals.take(PLAN, TODAY)


def test_what_was_asked_about_an_erased_table_goes_with_it(tmp_path: Path) -> None:
    with opened(tmp_path) as state:
        approvals = Approvals(state)
        asked(approvals)
        approvals.approve(PLAN[:8], None, None)
        state.rekey(without="bank_a.visits")
        assert state_of(approvals) is State.APPROVED
        state.rekey(without="bank_a.accounts")
        assert approvals.find(PLAN) is None


def test_the_log_says_what_was_decided_and_not_why(tmp_path: Path) -> None:
    with opened(tmp_path) as state:
        approvals = Approvals(state)
        asked(approvals)
        asked(approvals)
        approvals.approve(PLAN, 1, None)
        approvals.deny(PLAN, "too narrow")
        records = [Record.of(content) for content in Log(state).contents()]
    assert [record.kind for record in records] == [Kind.APPROVAL_ASKED, Kind.APPROVED, Kind.DENIED]
    assert {(r.who, r.plan_hash, r.protocol) for r in records} == {("analyst", PLAN, "query")}
    assert "narrow" not in str(records)
