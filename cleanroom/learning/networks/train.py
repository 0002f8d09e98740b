"""Federated averaging as the recipient conducts it.

Rule: a generator of steps; it sees sums over all owners and nothing else.
"""

from collections.abc import Mapping

import numpy as np

from cleanroom.errors import PeerMisbehaved
from cleanroom.learning.errors import TrainingImpossible
from cleanroom.learning.facts import Facts, Floats
from cleanroom.learning.networks.frame import ROUND, Frame, check, network_of, round_blocks
from cleanroom.learning.networks.model import NetworkModel
from cleanroom.learning.networks.spec import Spec
from cleanroom.learning.preparation import Preparation
from cleanroom.learning.preparing import find
from cleanroom.learning.step import Step, Sums, Training, finished


def train(
    spec: Spec, facts: Facts, resume: Mapping[str, Floats] | None = None
) -> Training[NetworkModel]:
    """Average owners' updates, weighted by their rows, round after round.

    Args:
        resume: a checkpoint of the same training; its rounds are kept.

    Raises:
        TrainingImpossible: if these columns can't be learnt from, or the weights diverge.
        PeerMisbehaved: if the sums are of more rows than owners may have.

    Cost: two steps to standardise, then one a round; its answer has as many numbers as the
        network has weights, and two more.
    Security: the recipient sees the weighted sum of updates, and owners see every round's weights.
    Source: McMahan, Moore, Ramage, Hampson, Aguera y Arcas, AISTATS 2017, with all
        owners in every round.
    """
    target = check(spec, facts)
    if resume is None:
        frame = yield from _begin(spec, facts)
        weights, number = frame.network.first(spec.seed), 1
    else:
        frame, number = _resumed(spec, facts, resume), round(float(resume["round"]))
        weights = resume["weights"]
    report: dict[str, float] = {}
    blocks = round_blocks(spec, facts, frame.network)
    while number <= spec.rounds:
        told = {**frame.numbers(), "weights": weights}
        kept = {**told, "round": np.array(float(number))}
        sums = yield Step(ROUND, blocks, told, {}, number, report, kept)
        rows = _rows(facts, sums)
        move = sums["update"] / rows
        report = {"loss": float(sums["loss"]) / rows, "moved": float(np.sqrt(np.mean(move**2)))}
        weights = weights + move
        number += 1
    yield finished(spec.rounds, report)
    return NetworkModel(spec, frame.preparation, target, frame.centre, frame.scale, weights)


def _rows(facts: Facts, sums: Sums) -> float:
    rows = float(np.rint(sums["rows"]))
    if not 1 <= rows <= facts.owners * facts.max_rows:
        raise PeerMisbehaved(f"updates of a weight that {facts.owners} owners can't have")
    return rows


def _begin(spec: Spec, facts: Facts) -> Training[Frame]:
    """Standardise first."""
    found = yield from find(facts, spec.prepare)
    target = check(spec, facts)
    preparation = found.preparation(spec.prepare)
    if not len(preparation.used):
        raise TrainingImpossible("no feature varies")
    network = network_of(spec, target, len(preparation.used))
    if spec.loss != "squared":
        return Frame(preparation, 0.0, 1.0, network)
    if not found.scale(target):
        raise TrainingImpossible(f"{target.name}: the same in all rows")
    return Frame(preparation, found.mean(target), found.scale(target), network)


def _resumed(spec: Spec, facts: Facts, resume: Mapping[str, Floats]) -> Frame:
    ends = (resume[name] for name in ("centres", "scales", "fills"))
    preparation = Preparation(facts.features, spec.prepare, *ends)
    network = network_of(spec, check(spec, facts), len(preparation.used))
    return Frame(preparation, float(resume["target"][0]), float(resume["target"][1]), network)
