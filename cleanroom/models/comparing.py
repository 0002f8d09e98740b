"""Arms compared: every owner alone, all federated, and the pooled rows where somebody has them.

Rule: in this process, on rows that are all given: for planning and for papers, INSECURE by nature.
Every arm is tested on the same rows, which no arm trained on.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel
from scipy import stats

from cleanroom.errors import CleanroomError, ConfigInvalid
from cleanroom.learning import ranks
from cleanroom.learning.errors import TrainingImpossible
from cleanroom.learning.facts import Facts, Floats, Rows
from cleanroom.learning.families import FAMILIES, Model
from cleanroom.learning.pooled import run
from cleanroom.learning.private.spec import DpSpec
from protocols.randomness import stream

FEDERATED, POOLED = "federated", "pooled"
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Compared:
    """What each arm was worth.

    Attributes:
        scores: a line for each arm and seed: `arm`, `seed`, `rows` trained on, and `auc` or `r2`;
            NaN where an arm's rows determine no model.
        measure: `auc` of a target of 0 and 1, else `r2`.
    """

    scores: pd.DataFrame
    measure: str

    def table(self) -> pd.DataFrame:
        """Return mean and 95 % interval over seeds of each arm, by Student's t."""
        lines = []
        for arm, scores in self.scores.groupby("arm", sort=False):
            values = scores[self.measure].dropna().to_numpy(dtype=float)
            n = len(values)
            mean = float(values.mean()) if n else math.nan
            half = math.nan
            if n > 1:
                spread = float(values.std(ddof=1)) / math.sqrt(n)
                half = float(stats.t.ppf((1 + _CONFIDENCE) / 2, n - 1)) * spread
            rows = int(scores["rows"].mean())
            lines.append((arm, rows, n, mean, mean - half, mean + half))
        columns = ["arm", "rows", "seeds", self.measure, "low", "high"]
        return pd.DataFrame(lines, columns=columns)

    def plot(self, file: Path | str) -> None:
        """Draw the table as points with intervals, a PNG.

        Raises:
            ConfigInvalid: if matplotlib isn't installed, or the file can't be written.
        """
        try:
            from matplotlib.backends.backend_agg import FigureCanvasAgg
            from matplotlib.figure import Figure
        except ImportError:
            remedy = "pip install 'pets-cleanroom[plots]'"
            raise ConfigInvalid("plots need the package matplotlib", remedy=remedy) from None
        table = self.table().iloc[::-1]
        figure = Figure(figsize=(6, 1 + 0.4 * len(table)), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        mean = table[self.measure].to_numpy(dtype=float)
        half = np.nan_to_num(table["high"].to_numpy(dtype=float) - mean)
        axes.errorbar(mean, np.arange(len(table)), xerr=half, fmt="o", capsize=3)
        axes.set_yticks(np.arange(len(table)), table["arm"])
        axes.set_xlabel(f"{self.measure} on held-out rows, 95 % interval over seeds")
        axes.grid(axis="x", alpha=0.3)
        try:
            figure.savefig(file, format="png", dpi=120)
        except OSError as error:
            raise ConfigInvalid(f"cannot write {file}: {error.strerror}") from None


def compare(
    spec: BaseModel,
    facts: Facts,
    owned: Mapping[str, Rows],
    seeds: Sequence[int] = (1, 2, 3, 4, 5),
    held_out: float = 0.3,
) -> Compared:
    """Train every arm once a seed, and test it on what all owners held out.

    A seed chooses the rows that are held out, and a model's first weights if it has some.

    Args:
        spec: of a family of `learning.families`.
        facts: of a federated training on these owners' rows.
        owned: each owner's rows.

    Raises:
        ConfigInvalid: if there are no owners or seeds, or nothing or everything is held out.
        TrainingImpossible: if there is no target to compare with.
        CleanroomError: if the federated or pooled rows can't be trained on.
    """
    if not owned or not seeds or not 0 < held_out < 1:
        raise ConfigInvalid("arms need owners, seeds, and a part of the rows held out")
    if facts.target is None or facts.time is not None:
        raise TrainingImpossible("arms without a target that predictions are compared with")
    measure = "auc" if _is_binary(facts) else "r2"
    lines = []
    for seed in seeds:
        parts = {name: _divided(rows, seed, held_out) for name, rows in owned.items()}
        test = _together([part[1] for part in parts.values()])
        model = _seeded(spec, seed)
        for arm, trained in _arms({name: part[0] for name, part in parts.items()}):
            n = sum(map(len, trained))
            lines.append((arm, seed, n, _score(model, facts, arm, trained, test)))
    return Compared(pd.DataFrame(lines, columns=["arm", "seed", "rows", measure]), measure)


def _is_binary(facts: Facts) -> bool:
    target = facts.target
    return target is not None and (len(target.values) == 2 or (target.low, target.high) == (0, 1))


def _arms(parts: Mapping[str, Rows]) -> Iterator[tuple[str, list[Rows]]]:
    """Return each arm's owners' rows."""
    for name, rows in parts.items():
        yield f"{name} alone", [replace(rows, place=0)]
    yield FEDERATED, list(parts.values())
    yield POOLED, [_together(list(parts.values()))]


def _score(spec: BaseModel, facts: Facts, arm: str, trained: Sequence[Rows], test: Rows) -> float:
    family = FAMILIES[str(getattr(spec, "kind", ""))]
    most = facts.owners * facts.max_rows
    known = replace(facts, owners=len(trained), max_rows=-(-most // len(trained)))
    spec = _suited(spec, len(trained))
    try:
        owners = [family.owner(spec, known, rows) for rows in trained]
        model: Model = run(family.train(spec, known, None), owners)
    except CleanroomError:
        if arm in (FEDERATED, POOLED):
            raise
        return math.nan
    return _worth(facts, test.target, model.predict(dict(test.features)))


def _suited(spec: BaseModel, owners: int) -> BaseModel:
    """Return a private spec whose noise so few owners can add: with one, all of it is its own."""
    dp = getattr(spec, "dp", None)
    if not isinstance(dp, DpSpec):
        return spec
    fewer = dp.model_copy(update={"honest": min(dp.honest, owners)})
    return spec.model_copy(update={"dp": fewer})


def _worth(facts: Facts, target: Floats | None, score: Floats) -> float:
    """Return the area under the curve, or R squared, of rows that a model takes."""
    if target is None:
        return math.nan
    known = ~np.isnan(score)
    target, score = target[known], score[known]
    if _is_binary(facts):
        _, place = np.unique(score, return_inverse=True)
        counts = [np.bincount(place[target == one], minlength=place.max() + 1) for one in (0, 1)]
        negatives, positives = (count.astype(np.float64) for count in counts)
        if not (negatives.any() and positives.any()):
            return math.nan
        return ranks.area_under_roc(negatives, positives)[0]
    spread = float(((target - target.mean()) ** 2).sum())
    return 1 - float(((target - score) ** 2).sum()) / spread if spread else math.nan


def _divided(rows: Rows, seed: int, held_out: float) -> tuple[Rows, Rows]:
    """Return the rows that train, and those that test: of a person all or none, at all owners."""
    n = len(rows)
    if rows.persons is None:
        words = stream(seed.to_bytes(32, "big"), "rows held out", n)
        order = np.argsort(words, kind="stable")
        out = np.zeros(n, dtype=np.bool_)
        out[order[: round(n * held_out)]] = True
    else:
        first, second = stream(seed.to_bytes(32, "big"), "persons held out", 2) | np.uint64(1)
        person = rows.persons.astype(np.uint64)
        person ^= person >> np.uint64(32)
        mixed = (person * first ^ (person * first) >> np.uint64(32)) * second
        out = mixed >> np.uint64(32) < np.uint64(held_out * 2**32)
    return _some(rows, ~out), _some(rows, out)


def _some(rows: Rows, which: NDArray[np.bool_]) -> Rows:
    target = None if rows.target is None else rows.target[which]
    persons = None if rows.persons is None else rows.persons[which]
    features = {name: values[which] for name, values in rows.features.items()}
    return replace(rows, features=features, target=target, persons=persons)


def _together(parts: Sequence[Rows]) -> Rows:
    names = parts[0].features
    features = {name: np.concatenate([part.features[name] for part in parts]) for name in names}
    targets = [part.target for part in parts if part.target is not None]
    persons = [part.persons for part in parts if part.persons is not None]
    return Rows(
        features,
        np.concatenate(targets) if targets else None,
        persons=np.concatenate(persons) if persons else None,
    )


def _seeded(spec: BaseModel, seed: int) -> BaseModel:
    """Return the settings with this seed, if they have one."""
    return spec.model_copy(update={"seed": seed}) if "seed" in type(spec).model_fields else spec
