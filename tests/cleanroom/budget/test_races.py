"""Many at once with budget for one, and processes that die between charge and release."""

import signal
import subprocess
import sys
import threading
from fractions import Fraction
from pathlib import Path

import kept

from cleanroom.budget.ledger import Ledger, Scope
from cleanroom.errors import BudgetExhausted
from cleanroom.storage.state import State

SCOPE = Scope("hospital_a.patients", "university", "research")
HEAD = f"""
import json, os, signal, sys, threading
from fractions import Fraction
from pathlib import Path
from cleanroom.budget.ledger import Ledger, Scope
from cleanroom.errors import BudgetExhausted
from cleanroom.storage.keyfile import Keys
from cleanroom.storage.state import State
SCOPE = Scope{tuple(SCOPE)}
folder = Path(sys.argv[1])
state = State.open(folder / "state.db", Keys(folder / "state.key"), "test-room")
ledger = Ledger(state)
"""
RACE = """
def one(i):
    try:
        ledger.charge(f"{sys.argv[2]}-{i}", b"p" * 32, SCOPE, Fraction(1))
        print("paid", flush=True)
    except BudgetExhausted:
        pass
sys.stdin.readline()
threads = [threading.Thread(target=one, args=(i,)) for i in range(10)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""
ENDLESS = """
i = 0
while True:
    ledger.charge(f"s{i}", b"p" * 32, SCOPE, Fraction(1, 1000))
    print(i, flush=True)
    i += 1
"""
DIES = """
ledger.charge("s", b"p" * 32, SCOPE, Fraction(1))
os.kill(os.getpid(), signal.SIGKILL)
"""
DIES_EARLIER = """
with state.writing() as batch:
    batch.put("budget", json.dumps(SCOPE), b"[5, 5]")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def start(code: str, path: Path, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", HEAD + code, str(path), *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def begun(path: Path, rho: int = 1) -> Path:
    with kept.state(path) as state:
        Ledger(state).allow(SCOPE, Fraction(rho))
    return path


def left(path: Path) -> Fraction:
    with kept.state(path) as state:
        return Ledger(state).left(SCOPE)


def test_fifty_threads_of_five_processes_pay_once(tmp_path: Path) -> None:
    path = begun(tmp_path)
    racers = [start(RACE, path, f"{i}") for i in range(5)]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    printed = "".join(racer.communicate()[0] for racer in racers)
    assert [racer.returncode for racer in racers] == [0] * 5
    assert printed == "paid\n"
    assert left(path) == 0


def test_fifty_threads_with_one_ledger_pay_once(tmp_path: Path) -> None:
    paid: list[int] = []
    with kept.state(begun(tmp_path)) as state:
        ledger = Ledger(state)

        def one(i: int) -> None:
            try:
                ledger.charge(f"{i}", b"p" * 32, SCOPE, Fraction(1))
                paid.append(i)
            except BudgetExhausted:
                pass

        threads = [threading.Thread(target=one, args=(i,)) for i in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(paid) == 1


def test_a_ledger_begun_by_many_at_once_is_one(tmp_path: Path) -> None:
    """F88: also where each of them would make the key."""
    states: list[State] = []
    threads = [
        threading.Thread(target=lambda: states.append(kept.state(tmp_path))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    Ledger(states[0]).allow(SCOPE, Fraction(1))
    assert {Ledger(state).left(SCOPE) for state in states} == {Fraction(1)}
    assert len(states) == 8
    for state in states:
        state.close()


def test_a_charge_outlives_whoever_dies_before_the_release(tmp_path: Path) -> None:
    """F82: killed between charge and release."""
    path = begun(tmp_path)
    dead = start(DIES, path)
    dead.communicate()
    assert dead.returncode == -signal.SIGKILL
    assert left(path) == 0
    with kept.state(path) as state:  # the same session goes on, and pays once
        Ledger(state).charge("s", b"p" * 32, SCOPE, Fraction(1))


def test_half_a_charge_is_none(tmp_path: Path) -> None:
    path = begun(tmp_path)
    start(DIES_EARLIER, path).communicate()
    assert left(path) == 1


def test_no_kill_loses_a_charge_that_was_confirmed(tmp_path: Path) -> None:
    path = begun(tmp_path)
    charging = start(ENDLESS, path)
    assert charging.stdout is not None
    for _ in range(25):
        charging.stdout.readline()
    charging.kill()
    confirmed = 25 + len(charging.communicate()[0].split())
    assert 1 - left(path) in {Fraction(confirmed, 1000), Fraction(confirmed + 1, 1000)}
