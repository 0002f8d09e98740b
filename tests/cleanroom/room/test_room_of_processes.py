"""A room of real processes: what the analyst gets, whatever happens to the others."""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from cleanroom.errors import (
    DeadlineExceeded,
    InternalError,
    PeerMisbehaved,
    PeerUnavailable,
    PolicyDenied,
)
from cleanroom.session.receipt import Receipt

LONG = "add 1000000 of bank_a bank_c"


def values(result) -> np.ndarray:
    return result.to_pandas()["x"].to_numpy()[:100]


def on_stage(stage: str, action: Callable[[], object]) -> Callable[[str, str], None]:
    """Call the action once, as soon as a member tells this stage."""
    told = threading.Event()

    def progress(now: str, member: str) -> None:
        if now == stage and not told.is_set():
            told.set()
            action()

    return progress


def test_a_query_gives_the_sum_and_a_receipt_of_all(processes, analyst, room) -> None:
    result = analyst.sql("add 3 of bank_a bank_b hospital")

    np.testing.assert_array_equal(values(result), 3 * np.arange(100))
    assert result.stats.rounds == 4
    assert result.stats.bytes_sent > 0
    receipt = Receipt.from_json(result.receipt.to_json())
    speakers = {s.speaker for s in receipt.verify(room["analyst"].contract)}
    assert speakers == {"analyst", "bank_a", "bank_b", "bank_c", "hospital"}


def test_two_queries_at_once_give_their_own_results(processes, analyst) -> None:
    queries = ["add 60 of bank_a bank_b", "add 50 of bank_a bank_b bank_c", "add 9 of hospital"]
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(analyst.sql, queries))
    for times, result in zip((2, 3, 1), results, strict=True):
        np.testing.assert_array_equal(values(result), times * np.arange(100))


def test_status_names_who_attends(processes, analyst) -> None:
    status = analyst.status()
    assert status == {
        "bank_a": True,
        "bank_b": True,
        "bank_c": True,
        "hospital": True,
        "analyst": False,
    }


def test_a_refusal_lists_each_violation_once(processes, analyst) -> None:
    with pytest.raises(PolicyDenied, match="bank_b: x may not be used") as caught:
        analyst.sql("deny 1 of bank_a")
    assert str(caught.value).count("may not be used") == 1
    assert "Ask for less." in caught.value.remedy


def test_a_wrong_shape_names_its_sender(processes, analyst) -> None:
    with pytest.raises(PeerMisbehaved) as caught:
        analyst.sql("cheat 2 of bank_a")
    assert caught.value.party == "bank_b"


def test_a_crash_is_told_without_its_details(processes, analyst) -> None:
    with pytest.raises(InternalError) as caught:
        analyst.sql("crash 2 of bank_a")
    assert caught.value.party == "bank_c"
    assert "4711" not in str(caught.value)


def test_the_deadline_ends_a_query(processes, analyst) -> None:
    with pytest.raises(DeadlineExceeded):
        analyst.sql(LONG, deadline_s=1)
    assert len(analyst.sql("add 1 of bank_a").to_pandas()) > 0


def test_ctrl_c_ends_the_session_everywhere(processes, analyst) -> None:
    interrupt = on_stage("computing", lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        analyst.sql(LONG, on_progress=interrupt)
    assert len(analyst.sql("add 1 of bank_a").to_pandas()) > 0


@pytest.mark.parametrize("victim", ["bank_b", "hospital"])
def test_a_killed_party_is_named_and_served_again_after_restart(
    processes, analyst, victim: str
) -> None:
    kill = on_stage("computing", lambda: processes.running[victim].kill())
    with pytest.raises(PeerUnavailable) as caught:
        analyst.sql("add 1000000 of bank_a hospital", on_progress=kill)
    assert caught.value.party == victim
    with pytest.raises(PeerUnavailable) as caught:
        analyst.sql("add 1 of hospital")
    assert caught.value.party == victim

    processes.running[victim].communicate()
    processes.start(victim)
    np.testing.assert_array_equal(values(analyst.sql("add 1 of hospital")), np.arange(100))


@pytest.mark.parametrize(
    ("victim", "stage"),
    [("bank_a", "reading"), ("hospital", "sharing"), ("bank_c", "sharing"),
     ("coordinator", "sharing")],
)  # fmt: skip
def test_whoever_is_killed_at_whatever_step_no_answer_is_wrong(
    processes, analyst, victim: str, stage: str
) -> None:
    """F82: a right answer, or an error that names whoever is gone; and right ones afterwards."""
    sql, right = "add 3000 of bank_a bank_b hospital", 3 * np.arange(100)
    kill = on_stage(stage, lambda: processes.running[victim].kill())
    gone = victim
    try:
        np.testing.assert_array_equal(values(analyst.sql(sql, on_progress=kill)), right)
    except PeerUnavailable as error:
        gone = error.party
    assert gone == victim
    processes.running[victim].communicate()
    processes.start(victim)
    if victim == "coordinator":
        for name in ("bank_a", "bank_b", "bank_c", "hospital"):
            assert any('"ready"' in line for line in processes.running[name].stderr)
    np.testing.assert_array_equal(values(analyst.sql("add 3 of bank_a bank_b hospital")), right)


def test_a_frozen_party_is_named_within_ten_seconds(processes, analyst) -> None:
    pid = processes.running["bank_c"].pid
    freeze = on_stage("computing", lambda: os.kill(pid, signal.SIGSTOP))
    try:
        with pytest.raises(PeerUnavailable) as caught:
            analyst.sql(LONG, on_progress=freeze, deadline_s=12)
        assert caught.value.party == "bank_c"
    finally:
        os.kill(pid, signal.SIGCONT)
    assert any('"ready"' in line for line in processes.running["bank_c"].stderr)


def test_a_killed_coordinator_is_named_and_parties_come_back(processes, analyst) -> None:
    kill = on_stage("computing", lambda: processes.running["coordinator"].kill())
    with pytest.raises(PeerUnavailable) as caught:
        analyst.sql(LONG, on_progress=kill)
    assert caught.value.party == "coordinator"

    processes.running["coordinator"].communicate()
    processes.start("coordinator")
    for name in ("bank_a", "bank_b", "bank_c", "hospital"):
        assert any('"ready"' in line for line in processes.running[name].stderr)
    np.testing.assert_array_equal(values(analyst.sql("add 1 of bank_a")), np.arange(100))


def test_processes_end_cleanly_and_log_no_value(processes) -> None:
    processes.running["bank_a"].send_signal(signal.SIGTERM)
    for name, (code, log) in processes.stop().items():
        assert code == 0, name
        traces = log.split("Traceback")[1:]  # gRPC may print that a call was cancelled at the end
        assert all("CancelledError" in trace for trace in traces)
        assert "4711" not in log
