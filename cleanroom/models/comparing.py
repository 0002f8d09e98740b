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
from cleanroom.learning.errors import TrainingImpossible
from cleanroom.learning.facts import Facts, Floats, Rows
from cleanroom.learning.families import FAMILIES, Model
from cleanroom.learning.pooled import run
from cleanroom.learning.private.spec import DpSpec
from cleanroom.models import worth
from protocols.randomness import stream

FEDERATED, POOLED = "federated", "pooled"
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Compared:
    """What each arm was worth.

    Attributes:
        scores: a line for each arm and seed: `arm`, `seed`, `rows` trained on, and the measures;
            NaN where an arm's rows determine no model.
        measures: of a target of 0 and 1 `auc`, `auprc`, `precision_at_20` and `precision_at_50`
            (of recall, in percent), else `r2`.
    """

    scores: pd.DataFrame
    measures: tuple[str, ...]

    def table(self, measure: str | None = None) -> pd.DataFrame:
        """Return mean and 95 % interval over seeds of each arm, by Student's t.

        Args:
            measure: the first one unless it is named.

        Raises:
            ConfigInvalid: if it isn't among the measures.
        """
        measure = self._known(measure)
        lines = []
        for arm, scores in self.scores.groupby("arm", sort=False):
            values = scores[measure].dropna().to_numpy(dtype=float)
            n = len(values)
            mean = float(values.mean()) if n else math.nan
            half = math.nan
            if n > 1:
                spread = float(values.std(ddof=1)) / math.sqrt(n)
                half = float(stats.t.ppf((1 + _CONFIDENCE) / 2, n - 1)) * spread
            rows = int(scores["rows"].mean())
            lines.append((arm, rows, n, mean, mean - half, mean + half))
        columns = ["arm", "rows", "seeds", measure, "low", "high"]
        return pd.DataFrame(lines, columns=columns)

    def _known(self, measure: str | None) -> str:
        if measure is not None and measure not in self.measures:
            remedy = f"There is {', '.join(self.measures)}."
            raise ConfigInvalid(f"no measure {measure[:64]!r} of these arms", remedy=remedy)
        return measure or self.measures[0]

    def plot(self, file: Path | str, measure: str | None = None) -> None:
        """Draw the table as points with intervals, a PNG.

        Raises:
            ConfigInvalid: as `table`, and if matplotlib isn't installed, or the file can't be
                written.
        """
        try:
            from matplotlib.backends.backend_agg import FigureCanvasAgg
            from matplotlib.figure import Figure
        except ImportError:
            remedy = "pip install 'pets-cleanroom[plots]'"
            raise ConfigInvalid("plots need the package matplotlib", remedy=remedy) from None
        measure = self._known(measure)
        table = self.table(measure).iloc[::-1]
        figure = Figure(figsize=(6, 1 + 0.4 * len(table)), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        mean = table[measure].to_numpy(dtype=float)
        half = np.nan_to_num(table["high"].to_numpy(dtype=float) - mean)
        axes.errorbar(mean, np.arange(len(table)), xerr=half, fmt="o", capsize=3)
        axes.set_yticks(np.arange(len(table)), table["arm"])
        axes.set_xlabel(f"{measure} on held-out rows, 95 % interval over seeds")
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
    measures = worth.OF_TRUTHS if _is_binary(facts) else worth.OF_NUMBERS
    lines: list[Mapping[str, object]] = []
    for seed in seeds:
        parts = {name: _divided(rows, seed, held_out) for name, rows in owned.items()}
        test = together([part[1] for part in parts.values()])
        model = _seeded(spec, seed)
        for arm, trained in _arms({name: part[0] for name, part in parts.items()}):
            about = {"arm": arm, "seed": seed, "rows": sum(map(len, trained))}
            lines.append(
                {**about, **_worth(facts, test, _scores(model, facts, arm, trained, test))}
            )
    return Compared(pd.DataFrame(lines, columns=["arm", "seed", "rows", *measures]), measures)


def _is_binary(facts: Facts) -> bool:
    target = facts.target
    return target is not None and (len(target.values) == 2 or (target.low, target.high) == (0, 1))


def _arms(parts: Mapping[str, Rows]) -> Iterator[tuple[str, list[Rows]]]:
    """Return each arm's owners' rows."""
    for name, rows in parts.items():
        yield f"{name} alone", [replace(rows, place=0)]
    yield FEDERATED, list(parts.values())
    yield POOLED, [together(list(parts.values()))]


def _scores(spec: BaseModel, facts: Facts, arm: str, trained: Sequence[Rows], test: Rows) -> Floats:
    """Return an arm's predictions of the test's rows; NaN where it has no model."""
    try:
        model = fit(spec, facts, trained)
    except CleanroomError:
        if arm in (FEDERATED, POOLED):
            raise
        return np.full(len(test), math.nan)
    return model.predict(dict(test.features))


def _worth(facts: Facts, test: Rows, score: Floats) -> Mapping[str, float]:
    """Return the figures of rows that a model takes."""
    if test.target is None:
        return {}
    known = ~np.isnan(score)
    figures = worth.of_truths if _is_binary(facts) else worth.of_numbers
    return figures(test.target[known], score[known])


def fit(spec: BaseModel, facts: Facts, owned: Sequence[Rows]) -> Model:
    """Train on given rows of one or more owners: INSECURE, every sum is in plain.

    Args:
        facts: as those of `compare`, whatever the number of owners here.

    Raises:
        CleanroomError: if the rows can't be trained on.
    """
    family = FAMILIES[str(getattr(spec, "kind", ""))]
    most = facts.owners * facts.max_rows
    known = replace(facts, owners=len(owned), max_rows=-(-most // len(owned)))
    spec = _suited(spec, len(owned))
    owners = [family.owner(spec, known, rows) for rows in owned]
    model: Model = run(family.train(spec, known, None), owners)
    return model


def _suited(spec: BaseModel, owners: int) -> BaseModel:
    """Return a private spec whose noise so few owners can add: with one, all of it is its own."""
    dp = getattr(spec, "dp", None)
    if not isinstance(dp, DpSpec):
        return spec
    fewer = dp.model_copy(update={"honest": min(dp.honest, owners)})
    return spec.model_copy(update={"dp": fewer})


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


def together(parts: Sequence[Rows]) -> Rows:
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
