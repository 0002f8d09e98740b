"""A ServerApp conducts a training: what it sends becomes steps, what it gets are their sums.

Rule: the recipient's side. The app runs in a sandbox as at the owners. A training that is resumed
runs it again from its start and tells it the sums of the rounds that are done.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from cleanroom.errors import AppFailed, UnsupportedStrategy
from cleanroom.flower.apps import Code
from cleanroom.flower.frames import Frame
from cleanroom.flower.limits import Limits
from cleanroom.flower.message import MAX_TEXT, Layout, read_message
from cleanroom.flower.model import ArraysModel, cut
from cleanroom.flower.owner import STEP, check
from cleanroom.flower.sandbox import Sandbox
from cleanroom.flower.spec import Spec
from cleanroom.learning.facts import Facts, Floats
from cleanroom.learning.step import Block, Step, Sums, Training, finished

_DIGEST_WORDS = 8


def conduct(
    spec: Spec,
    facts: Facts,
    code: Code,
    resume: Mapping[str, Floats] | None = None,
    limits: Limits | None = None,
    log: Path | None = None,
) -> Training[ArraysModel]:
    """Train by an app's ServerApp.

    Args:
        code: of the app that the spec names, approved here.
        resume: the checkpoint of the step to go on from.
        log: a file for what the app prints.

    Raises:
        UnsupportedStrategy: if it needs more than weighted means.
        AppFailed: if the ServerApp ends without a model, or can't be resumed.
        AppRefused: if this machine can't confine it.
        StepRefused: if it sends what the job doesn't allow.
    """
    limits = limits or Limits()
    past = _Past(resume)
    sandbox = Sandbox(code, "server", _start(spec, facts, code), limits, log=log)
    try:
        while True:
            frame = sandbox.receive(spec.max_parameters, limits.reply_s)
            if "message" not in frame.header:
                model = _model(spec, frame, past.report)
                yield finished(max(past.rounds, 1), past.report)
                return model
            step = _step(spec, facts, frame, past)
            known = past.take(step)
            sums = (yield step) if known is None else known
            past.keep(step, sums)
            sandbox.send(_answer(step, sums))
    finally:
        sandbox.close()


def _start(spec: Spec, facts: Facts, code: Code) -> dict[str, Any]:
    names = {"weighted_by", "metrics_record", "own_aggregation", "seed"}
    return {
        "node": 0,
        "node_config": {},
        "run_config": {**code.config, **spec.config},
        "data_file": "",
        "owners": facts.owners,
        "most_numbers": spec.most_numbers() + 1,
        **spec.model_dump(include=names),
    }


@dataclass
class _Past:
    """What is known of earlier rounds: for the report, and to go on after a crash.

    Attributes:
        checkpoint: by name, the digest of every round's message and its sums.
        report: the means of the last rounds.
        rounds: how many training rounds there were.
    """

    resume: Mapping[str, Floats] | None
    checkpoint: dict[str, Floats] = field(default_factory=dict)
    report: dict[str, float] = field(default_factory=dict)
    rounds: int = 0

    def take(self, step: Step) -> Sums | None:
        """Return a step's sums if they are known.

        Raises:
            AppFailed: if the app sent another message then.
        """
        number = len(self.checkpoint) // 2
        if self.resume is None or f"sums.{number}" not in self.resume:
            return None
        if not np.array_equal(self.resume[f"digest.{number}"], _digest(step)):
            raise AppFailed(
                "the ServerApp doesn't repeat its rounds, so that it can't be resumed",
                remedy="Start it anew; draw from `random` or `numpy.random`, which are seeded.",
            )
        return _cut(step.answer, self.resume[f"sums.{number}"])

    def keep(self, step: Step, sums: Sums) -> None:
        """Note a step's sums."""
        number = len(self.checkpoint) // 2
        flat = [np.ravel(sums[block.name]) for block in step.answer]
        self.checkpoint[f"digest.{number}"] = _digest(step)
        self.checkpoint[f"sums.{number}"] = np.concatenate(flat)
        total = float(sums["weight"])
        kind = read_message(step.options[STEP]).type
        for name, value in sums.items():
            if name.startswith("metric.") and np.ndim(value) == 0 and total > 0:
                self.report[f"{kind} {name.removeprefix('metric.')}"] = float(value) / total


def _digest(step: Step) -> Floats:
    text, numbers = str(step.options[STEP]).encode(), step.numbers["arrays"]
    digest = hashlib.sha256(len(text).to_bytes(8, "little") + text + numbers.tobytes()).digest()
    return np.frombuffer(digest, "<u4", _DIGEST_WORDS).astype(np.float64)


def _cut(blocks: tuple[Block, ...], flat: Floats) -> Sums:
    ends = np.cumsum([block.size for block in blocks], dtype=np.int64)
    parts = np.split(flat, ends[:-1])
    return {b.name: part.reshape(b.shape) for b, part in zip(blocks, parts, strict=True)}


def _step(spec: Spec, facts: Facts, frame: Frame, past: _Past) -> Step:
    message = read_message(frame.header["message"])
    check(spec, facts, message)
    text = message.text
    if len(text) > MAX_TEXT:
        raise AppFailed(f"a message whose names and settings take more than {MAX_TEXT} letters")
    past.rounds += message.trains
    return Step(
        STEP,
        spec.blocks(message, facts),
        {"arrays": frame.numbers},
        {STEP: text},
        max(past.rounds, 1),
        dict(past.report),
        dict(past.checkpoint) if message.trains else None,
    )


def _answer(step: Step, sums: Sums) -> Frame:
    shapes = [(block.name, list(block.shape)) for block in step.answer]
    flat = [np.ravel(sums[block.name]) for block in step.answer]
    return Frame({"sums": shapes}, np.concatenate(flat))


def _model(spec: Spec, frame: Frame, metrics: Mapping[str, float]) -> ArraysModel:
    """Return the model that the app ended with."""
    if "refused" in frame.header:
        raise UnsupportedStrategy(str(frame.header["refused"]))
    if "failed" in frame.header:
        raise AppFailed(f"the ServerApp failed: {frame.header['failed']}")
    try:
        layout = Layout.model_validate(frame.header.get("model"))
    except ValidationError:
        raise AppFailed("the ServerApp ended without a model") from None
    if layout.size != len(frame.numbers):
        raise AppFailed("the ServerApp ended with a model of other shapes than it says")
    return ArraysModel(spec.app, spec.sha256, cut(layout, frame.numbers), dict(metrics))
