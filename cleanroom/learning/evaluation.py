"""A model judged on rows that stay with their owners: every figure from sums over all of them.

Rule: the recipient's half: which step is asked, and what its sums say. Any model of a family can
be judged; it travels as text that owners rebuild.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cleanroom.learning import ranks
from cleanroom.learning.errors import TrainingImpossible
from cleanroom.learning.facts import Facts, Floats
from cleanroom.learning.families import Model
from cleanroom.learning.judging import (
    EVENT_TIMES,
    NAMES,
    SURVIVAL,
    Spec,
    blocks,
    grid_of,
    survival_blocks,
)
from cleanroom.learning.step import Step, Sums, Training
from cleanroom.learning.times import find_cells
from cleanroom.learning.travelling import packed


@dataclass(frozen=True)
class Evaluation:
    """What a model is worth.

    Attributes:
        rows: that were judged; those with missing values that a model doesn't take are left out.
        figures: by name. Of a binary target 'auc' and 'auprc', each with what bins may have
            changed ('auc_error', 'auprc_error'), 'brier', 'log_loss', and of the confusion at the
            threshold 'true_positives' and so on, 'sensitivity', 'specificity', 'precision'; of a
            number 'rmse', 'mae', 'r2'; of survival 'c_index', with 'c_index_error', and 'events'.
        curves: 'roc' (2, k): false and true positive rate; 'calibration' (3, k): each group's
            mean probability, its share of positives, its rows.
    """

    rows: int
    figures: Mapping[str, float]
    curves: Mapping[str, Floats]

    def to_json(self) -> str:
        """Return the same as text; what doesn't exist is null."""
        figures = {n: value if math.isfinite(value) else None for n, value in self.figures.items()}
        curves = {name: curve.tolist() for name, curve in self.curves.items()}
        return json.dumps({"rows": self.rows, "figures": figures, "curves": curves})


def evaluate(spec: Spec, facts: Facts, model: Model, round_: int = 1) -> Training[Evaluation]:
    """Judge a model.

    Raises:
        TrainingImpossible: if no row can be judged.
    """
    if spec.measure == "survival":
        return (yield from _of_survival(spec, facts, model, round_))
    name = NAMES[spec.measure]
    sums = yield Step(
        name, blocks(spec.measure, facts, spec.bins), {"model": packed(model)}, {}, round_
    )
    rows = round(float(sums["rows"]))
    if not rows:
        raise TrainingImpossible("an evaluation without a row whose values the model takes")
    return (
        _of_binary(spec, rows, sums) if spec.measure == "binary" else _of_number(facts, rows, sums)
    )


def _of_survival(spec: Spec, facts: Facts, model: Model, round_: int) -> Training[Evaluation]:
    event, grid = facts.target, grid_of(spec, facts)
    if event is None:
        raise TrainingImpossible("an evaluation without a target")
    cells = yield from find_cells(grid, facts, event, EVENT_TIMES, round_=round_)
    answer = survival_blocks(facts, cells, spec.bins)
    given = {**cells.numbers(), "model": packed(model)}
    sums = yield Step(SURVIVAL, answer, given, {}, round_)
    share, error = ranks.concordance(*np.round(sums["leaving"]))
    events = float(np.round(sums["leaving"][1]).sum())
    figures = {"c_index": share, "c_index_error": error, "events": events}
    return Evaluation(round(float(sums["rows"])), figures, {})


def _of_binary(spec: Spec, rows: int, sums: Sums) -> Evaluation:
    negatives, positives = np.round(sums["counts"])
    (true_neg, false_pos), (false_neg, true_pos) = np.round(sums["confusion"]).tolist()
    brier, log_loss = (sums["losses"] / rows).tolist()
    figures = {
        "auc": math.nan,
        "brier": brier,
        "log_loss": log_loss,
        "true_negatives": true_neg,
        "false_positives": false_pos,
        "false_negatives": false_neg,
        "true_positives": true_pos,
        "sensitivity": _share(true_pos, false_neg),
        "specificity": _share(true_neg, false_pos),
        "precision": _share(true_pos, false_pos),
    }
    curves = {"calibration": _calibration(spec, sums)}
    if positives.any() and negatives.any():
        figures["auc"], figures["auc_error"] = ranks.area_under_roc(negatives, positives)
        figures["auprc"], figures["auprc_error"] = ranks.average_precision(negatives, positives)
        curves["roc"] = np.array(ranks.roc(negatives, positives))
    return Evaluation(rows, figures, curves)


def _calibration(spec: Spec, sums: Sums) -> Floats:
    counts = np.round(sums["counts"])
    both = counts.sum(axis=0)
    lines = [
        (sums["scores"][run].sum(), counts[1, run].sum(), both[run].sum())
        for run in ranks.groups(both, spec.calibration)
    ]
    total, positives, rows = np.array(lines).T
    return np.array([total / rows, positives / rows, rows])


def _of_number(facts: Facts, rows: int, sums: Sums) -> Evaluation:
    target = facts.target
    half = (target.high - target.low) / 2 if target is not None else 1.0
    squares, distances = sums["errors"].tolist()
    total, around = sums["target"].tolist()
    variance = around - total**2 / rows
    figures = {
        "rmse": half * math.sqrt(max(squares, 0.0) / rows),
        "mae": half * distances / rows,
        "r2": 1 - squares / variance if variance > 0 else math.nan,
    }
    return Evaluation(rows, figures, {})


def _share(part: float, rest: float) -> float:
    return part / (part + rest) if part + rest else math.nan
