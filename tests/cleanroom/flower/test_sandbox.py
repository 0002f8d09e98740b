"""What an app can't do, tried out by one that is asked to; and what its owner then says."""

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import flower_app
import numpy as np
import pytest

from cleanroom.errors import AppFailed
from cleanroom.flower.limits import Limits
from cleanroom.flower.message import Layout, Message
from cleanroom.flower.owner import AppOwner
from cleanroom.learning.errors import StepRefused
from cleanroom.learning.step import Block, Step

SPEC = flower_app.spec()
LAYOUT = Layout(record="arrays", items=[("w", "float64", [2])])


def step(kind: str = "query.misbehave", how: str = "nothing", **changes: object) -> Step:
    message = Message(type=kind, nodes=[1, 2, 3], configs={"config": {"how": how}})
    message = message.model_copy(update=changes)
    known = kind if kind in SPEC.metrics else "query"
    blocks = SPEC.blocks(message.model_copy(update={"type": known}), flower_app.FACTS)
    return Step("message", blocks, {"arrays": np.zeros(message.size)}, {"message": message.text})


def owner(log: Path | None = None, place: int = 0, limits: Limits | None = None) -> AppOwner:
    rows = flower_app.rows(place)
    limits = limits or flower_app.LIMITS
    return AppOwner(SPEC, flower_app.FACTS, rows, flower_app.CODE, limits, log)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("socket", "opened a network socket"),
        ("file", "reached for a file that isn't its own"),
        ("process", "started a process"),
        ("memory", "raised MemoryError"),
        ("hang", "did not answer in time"),
        ("end", "ended by itself"),
    ],
)
def test_it_is_refused_by_name(how: str, said: str) -> None:
    asked = owner(limits=flower_app.LIMITS.model_copy(update={"reply_s": 1.0}))
    with pytest.raises(AppFailed, match=said):
        asked.answer(step(how=how))
    with pytest.raises(AppFailed):
        asked.answer(step())
    asked.close()


def test_it_can_be_closed_while_it_is_asked() -> None:
    asked = owner()
    asked.answer(step())
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(asked.answer, step(how="hang"))
        asked.close()
        with pytest.raises(AppFailed, match="was ended"):
            waiting.result(10)


def test_what_it_says_stays_with_its_owner(tmp_path: Path) -> None:
    asked = owner(tmp_path / "log")
    with pytest.raises(AppFailed, match="raised ValueError") as caught:
        asked.answer(step(how="tell"))
    assert "patient" not in str(caught.value)
    assert "a patient's name" in (tmp_path / "log").read_text()
    asked.close()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda: Step("gradient", ()), "isn't a message"),
        (lambda: step("train.other"), "don't name messages of the type"),
        (lambda: step(nodes=[1, 2]), "fewer than 3 nodes"),
        (lambda: step(nodes=[1, 2, 9]), "isn't there"),
        (lambda: step("train"), "or without any"),
        (lambda: spoilt("numbers", {"arrays": np.full(2, np.nan)}), "aren't finite"),
        (lambda: spoilt("numbers", {"arrays": np.zeros(3)}), "of its own shapes"),
        (lambda: spoilt("answer", (Block("weight", (), 1.0),)), "other sums than the job says"),
    ],
)
def test_a_step_that_the_job_does_not_allow_never_reaches_it(
    asked: Callable[[], Step], said: str
) -> None:
    with pytest.raises(StepRefused, match=said):
        owner().answer(asked())


def spoilt(name: str, value: object) -> Step:
    good = step("train", arrays=LAYOUT)
    parts = {"answer": good.answer, "numbers": good.numbers, name: value}
    return Step("message", options=good.options, **parts)  # type: ignore[arg-type]


def test_owners_left_out_add_nothing_if_the_job_allows_it() -> None:
    facts = flower_app.FACTS
    four = type(facts)(facts.features, facts.target, owners=4, max_rows=facts.max_rows)
    asked = step("train", arrays=LAYOUT)
    for subsets in True, False:
        spec = flower_app.spec(subsets=subsets)
        left_out = AppOwner(spec, four, flower_app.rows(3), flower_app.CODE)
        if subsets:
            answer = left_out.answer(asked)
            assert {n: v.tolist() for n, v in answer.items()}["arrays"] == [0, 0]
            assert not any(v.any() for v in answer.values())
        else:
            with pytest.raises(StepRefused, match="3 of 4 nodes"):
                left_out.answer(asked)


def test_shapes_stay_those_of_the_first_round_and_rounds_end() -> None:
    spec = flower_app.spec(subsets=True, rounds=2)
    four = type(flower_app.FACTS)(
        flower_app.FACTS.features, flower_app.FACTS.target, owners=4, max_rows=1000
    )
    left_out = AppOwner(spec, four, flower_app.rows(3), flower_app.CODE)
    left_out.answer(step("train", arrays=LAYOUT))
    other = Layout(record="arrays", items=[("w", "float64", [1, 2])])
    with pytest.raises(StepRefused, match="other arrays than in the first round"):
        left_out.answer(step("train", arrays=other))
    left_out.answer(step("train", arrays=LAYOUT))
    with pytest.raises(StepRefused, match="more than the job's 2 rounds"):
        left_out.answer(step("train", arrays=LAYOUT))


KILLED = """
import os, sys
sys.path.append({support!r})
import flower_app
from cleanroom.flower.sandbox import Sandbox
Sandbox(flower_app.CODE, "client", {{}}, flower_app.LIMITS, lambda data: print(data, flush=True))
os.kill(os.getpid(), 9)
"""


def test_no_row_stays_behind_when_its_owner_is_killed() -> None:
    code = KILLED.format(support=str(Path(flower_app.__file__).parent))
    died = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert died.returncode == -9
    until = time.monotonic() + 20
    while Path(died.stdout.strip()).exists() and time.monotonic() < until:
        pass
    assert died.stdout
    assert not Path(died.stdout.strip()).exists()


WITHOUT_LANDLOCK = """
import ctypes, struct, sys
sys.path.append({support!r})
libc, zero = ctypes.CDLL(None), ctypes.c_ulong(0)
code = b"".join(struct.pack("=HBBI", *each) for each in (
    (0x20, 0, 0, 0), (0x15, 0, 1, 444), (0x06, 0, 0, 0x00050026), (0x06, 0, 0, 0x7FFF0000)))
class Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))
assert libc.prctl(38, ctypes.c_ulong(1), zero, zero, zero) == 0
assert libc.prctl(22, ctypes.c_ulong(2), ctypes.byref(Program(4, code)), zero, zero) == 0
import flower_app
from cleanroom.errors import AppRefused
from cleanroom.flower.message import Message
from cleanroom.learning.step import Step
import numpy as np
spec = flower_app.spec()
message = Message(type="query", nodes=[1, 2, 3])
blocks = spec.blocks(message, flower_app.FACTS)
try:
    step = Step("message", blocks, {{"arrays": np.zeros(0)}}, {{"message": message.text}})
    flower_app.owners(spec)[0].answer(step)
except AppRefused as error:
    print(error)
"""


def test_where_nothing_confines_it_no_app_runs() -> None:
    support = str(Path(flower_app.__file__).parent)
    code = WITHOUT_LANDLOCK.format(support=support)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "app-refused: this machine can't confine an app: Landlock can't be had" in done.stdout
    assert "Remedy: Run apps on Linux 5.13 or newer" in done.stdout
