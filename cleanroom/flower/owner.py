"""An owner's side of a training by an app: every step is checked, the app asked, the reply weighed.

Rule: nothing of the app leaves but a summand of the shape and bound that the job fixed. Flower
isn't imported in this process.
"""

from collections import Counter
from pathlib import Path

import numpy as np

from cleanroom.errors import AppFailed, CleanroomError
from cleanroom.flower import rows as rows_file
from cleanroom.flower.apps import Code
from cleanroom.flower.failures import told
from cleanroom.flower.frames import Frame
from cleanroom.flower.limits import Limits
from cleanroom.flower.message import Layout, Message, read_message
from cleanroom.flower.replies import summand
from cleanroom.flower.sandbox import Sandbox
from cleanroom.flower.spec import Spec
from cleanroom.learning.errors import StepRefused
from cleanroom.learning.facts import Facts, Rows
from cleanroom.learning.step import Owner, Step, Sums

LEAST_NODES = 3
STEP = "message"


class AppOwner(Owner):
    """One owner's app in its sandbox, which starts with the first message to this owner."""

    def __init__(
        self,
        spec: Spec,
        facts: Facts,
        rows: Rows,
        code: Code,
        limits: Limits | None = None,
        log: Path | None = None,
    ) -> None:
        """Take approved code; `log` is for what it prints."""
        self._spec, self._facts, self._rows = spec, facts, rows
        self._code, self._limits, self._log = code, limits or Limits(), log
        self._node = rows.place + 1
        self._layout: Layout | None = None
        self._asked: Counter[str] = Counter()
        self._sandbox: Sandbox | None = None
        self._closed = False

    def answer(self, step: Step) -> Sums:
        """Return this owner's summand of a round: zeros if it isn't addressed.

        Raises:
            StepRefused: if the step isn't one that the job allows.
            AppFailed: if the app broke a rule, or its reply can't be summed.
            AppRefused: if this machine can't confine it.
        """
        message = self._checked(step)
        if self._node not in message.nodes:
            return {block.name: np.zeros(block.shape) for block in step.answer}
        reply = self._ask(Frame(message.model_dump(), step.numbers["arrays"]))
        return summand(self._spec, self._facts, message, reply)

    def close(self) -> None:
        """End the app's process, also while it is asked; its state is gone."""
        self._closed = True
        if self._sandbox is not None:
            self._sandbox.close()

    def _checked(self, step: Step) -> Message:
        """Read a step's message and count it."""
        if step.name != STEP or set(step.options) != {STEP} or set(step.numbers) != {"arrays"}:
            raise StepRefused("a step that isn't a message to an app")
        message, numbers = read_message(step.options[STEP]), step.numbers["arrays"]
        check(self._spec, self._facts, message)
        if numbers.shape != (message.size,) or not np.isfinite(numbers).all():
            raise StepRefused("a message whose arrays aren't finite, or of its own shapes")
        if step.answer != self._spec.blocks(message, self._facts):
            raise StepRefused("a message that asks for other sums than the job says")
        if message.trains:
            self._keep_shapes(message)
        self._asked[message.type] += 1
        if self._asked[message.type] > self._spec.rounds:
            raise StepRefused(f"more than the job's {self._spec.rounds} rounds")
        return message

    def _keep_shapes(self, message: Message) -> None:
        """Refuse arrays of other names or shapes than those of the first round."""
        first = self._layout = self._layout or message.arrays
        now = message.arrays
        if first is None or now is None or _shapes(first) != _shapes(now):
            raise StepRefused("a model of other arrays than in the first round, or without any")

    def _ask(self, question: Frame) -> Frame:
        """Have the app answer a message, and start it before the first."""
        if self._closed:
            raise AppFailed("the app was ended before")
        try:
            sandbox = self._sandbox or self._started()
            sandbox.send(question)
            reply = sandbox.receive(self._spec.most_numbers(), self._limits.reply_s)
            _raise_failure(reply)
        except CleanroomError:
            self.close()
            raise
        return reply

    def _started(self) -> Sandbox:
        start = {
            "node": self._node,
            "node_config": {"partition-id": self._node - 1, "num-partitions": self._facts.owners},
            "run_config": {**self._code.config, **self._spec.config},
            "data_file": rows_file.NAME,
            "most_numbers": self._spec.max_parameters,
        }

        def fill(folder: Path) -> None:
            rows_file.write(folder, self._facts, self._rows)

        sandbox = Sandbox(self._code, "client", start, self._limits, fill, self._log)
        self._sandbox = sandbox
        _raise_failure(sandbox.receive(0, self._limits.start_s))
        return sandbox


def check(spec: Spec, facts: Facts, message: Message) -> None:
    """Check a message against the job.

    Raises:
        StepRefused: if the job doesn't allow such messages, so many numbers or so few nodes.
    """
    if message.type not in spec.metrics:
        kind = message.type
        remedy = f"Name metrics.{kind} in the job, or have the app's strategy send none."
        raise StepRefused(
            f"the job's metrics don't name messages of the type '{kind}'", remedy=remedy
        )
    if message.size > spec.max_parameters:
        raise StepRefused(f"a model of more than {spec.max_parameters} parameters")
    if message.nodes[-1] > facts.owners:
        raise StepRefused("a message to a node that isn't there")
    if len(message.nodes) < LEAST_NODES:
        raise StepRefused(f"a round to fewer than {LEAST_NODES} nodes: its sum isn't opened")
    if len(message.nodes) < facts.owners and not spec.subsets:
        raise StepRefused(
            f"a round to {len(message.nodes)} of {facts.owners} nodes, which the job doesn't allow"
        )


def _shapes(layout: Layout) -> list[tuple[str, list[int]]]:
    return [(name, shape) for name, _, shape in layout.items]


def _raise_failure(frame: Frame) -> None:
    if "failed" in frame.header:
        raise AppFailed(f"the app failed: {told(frame.header['failed'])}")
