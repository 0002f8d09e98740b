"""Linear, logistic and Poisson regression under differential privacy.

Rule: the training that all three share. First one noisy sum of products, which tells how columns
vary together; a linear model follows from it. Others then take noisy gradient steps, each
multiplied by the inverse of a curvature made of these products, so that few are needed. What is
done with noisy sums costs nothing more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from typing import Annotated, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cleanroom.contract.fields import Strict
from cleanroom.learning.checks import check_rows, numbers
from cleanroom.learning.facts import Column, Facts, Floats, Rows
from cleanroom.learning.layout import Preparing
from cleanroom.learning.likelihood import Likelihood
from cleanroom.learning.private.design import Design, declared, design, longest, middle_and_half
from cleanroom.learning.private.model import Kind, PrivateModel
from cleanroom.learning.private.owner import private
from cleanroom.learning.private.spec import DpSpec, Question, card, question
from cleanroom.learning.step import Owner, Step, Training, finished
from protocols.dp.words import Words

PRODUCTS, GRADIENT = "private.products", "private.gradient"
_FOR_PRODUCTS = Fraction(1, 4)  # of the budget, where gradients follow
_LONGEST_MOVE = 2.0  # of a row's linear predictor, in one step
_MOST = 0.99  # half ranges: a mean that noise put beyond lies here
Checkpoint: TypeAlias = Mapping[str, Floats]


class PrivateSpec(Strict):
    """What the three have in common.

    Attributes:
        l2: a penalty of l2 / 2 times the squared coefficients, in half ranges of the declared
            bounds, is added to the summed loss. The intercept is free.
        rounds: gradient steps; a linear model takes none.
    """

    dp: DpSpec
    l2: Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)] = 1.0
    rounds: Annotated[int, Field(ge=2, le=1000)] = 20
    prepare: Preparing = Preparing()


@dataclass(frozen=True)
class Problem:
    """What a training solves."""

    kind: Kind
    likelihood: Likelihood
    target: Column
    spec: PrivateSpec


def questions(problem: Problem, facts: Facts) -> Mapping[str, Question]:
    """Return the steps of a training, and what each costs.

    Raises:
        TrainingImpossible: if no noise can be drawn for what is asked.
    """
    spec, dp, square = problem.spec, problem.spec.dp, longest(facts, problem.spec.prepare)
    p, most = _columns(problem, facts), sqrt(square**2 + square)
    size, alone = p * (p + 1) // 2 + p, problem.kind == "private_linear"
    share = dp.rho if alone else dp.rho * _FOR_PRODUCTS
    found = {PRODUCTS: question(dp, facts, PRODUCTS, most, share, size, 1)}
    if not alone:
        rest = dp.rho - share
        found[GRADIENT] = question(dp, facts, GRADIENT, dp.clip, rest, p, spec.rounds)
    return found


def train(
    problem: Problem, facts: Facts, resume: Checkpoint | None = None
) -> Training[PrivateModel]:
    """Fit a model.

    Raises:
        TrainingImpossible: if no noise can be drawn for what is asked.
    """
    asked = questions(problem, facts)
    if resume is None:
        p, first = _columns(problem, facts), asked[PRODUCTS]
        sums = yield Step(PRODUCTS, (first.block,))
        at = _At.begin(problem, _Products.read(sums["sum"] * first.clip, p, first, facts))
    else:
        at = _At(**{name: np.array(resume[name]) for name in _At.NAMES})
    report: dict[str, float] = {}
    while GRADIENT in asked and at.round <= problem.spec.rounds:
        before, given = at.beta, {"coefficients": at.beta}
        answer = (asked[GRADIENT].block,)
        sums = yield Step(GRADIENT, answer, given, {}, at.round, report, at.checkpoint())
        at.move(problem, sums["sum"] * asked[GRADIENT].clip)
        report = {"moved": float(np.sqrt(np.mean((at.beta - before) ** 2)))}
    if report:
        yield finished(at.round - 1, report)
    centre, scale = middle_and_half(problem.target) if GRADIENT not in asked else (0.0, 1.0)
    told = card(problem.spec.dp, facts, asked)
    preparation = declared(facts, problem.spec.prepare)
    return PrivateModel(problem.kind, preparation, at.end, centre, scale, told)


def owner(problem: Problem, facts: Facts, rows: Rows, words: Words | None = None) -> Owner:
    """Return an owner's side.

    Raises:
        DataMismatch: naming the column that isn't what the facts say.
    """
    check_rows(facts, rows)
    own = design(facts, problem.spec.prepare, rows)
    asked = questions(problem, facts)
    return private(_Own(problem, own), problem.spec.dp, asked, own.persons, words)


class _Own:
    """An owner's rows: their products, or their gradients."""

    def __init__(self, problem: Problem, own: Design) -> None:
        self._likelihood, self._own = problem.likelihood, own
        middle, half = middle_and_half(problem.target)
        self._halved = (own.y - middle) / half
        self._pairs = np.triu_indices(own.x.shape[1])

    def __len__(self) -> int:
        return len(self._own.y)

    def per_row(self, step: Step, at: NDArray[np.intp]) -> Floats:
        x = self._own.x[at]
        if step.name == PRODUCTS:
            numbers(step)
            first, second = self._pairs
            products = x[:, first] * x[:, second] * _weights(x.shape[1])
            return np.hstack([products, x * self._halved[at, None]])
        (beta,) = numbers(step, coefficients=(x.shape[1],))
        with np.errstate(over="ignore", invalid="ignore"):
            _, residual, _ = self._likelihood.pieces(x @ beta, self._own.y[at])
            return x * residual[:, None]


@dataclass(frozen=True)
class _Products:
    """What the first sum says.

    Attributes:
        gram: (p, p) of x x', symmetric and positive after a ridge that outweighs the noise.
        with_target: (p,) of x times the target in half ranges.
        rows: about how many there are.
    """

    gram: Floats
    with_target: Floats
    rows: float

    @classmethod
    def read(cls, sums: Floats, p: int, asked: Question, facts: Facts) -> "_Products":
        upper = sums[:-p] / _weights(p)
        gram = np.zeros((p, p))
        gram[np.triu_indices(p)] = upper
        gram += np.triu(gram, 1).T
        # The largest eigenvalue of symmetric noise of this size, about.
        noise = asked.deviation * sqrt(facts.owners / asked.noise.counted) * sqrt(2 * p)
        ridge = max(0.0, noise - float(np.linalg.eigvalsh(gram)[0]))
        return cls(gram + ridge * np.eye(p), sums[-p:], max(1.0, float(gram[0, 0])))


@dataclass
class _At:
    """Where the steps stand; all of it follows from noisy sums.

    Attributes:
        curvature: (p, p) that a step divides by.
        later: sum of the coefficients after each step of the second half.
        state: which round comes, and how many are in `later`.
    """

    NAMES: ClassVar = ("curvature", "beta", "later", "state")
    curvature: Floats
    beta: Floats
    later: Floats
    state: Floats

    @classmethod
    def begin(cls, problem: Problem, found: _Products) -> "_At":
        p = len(found.with_target)
        penalty = np.diag(np.append(0.0, np.full(p - 1, problem.spec.l2)))
        if problem.kind == "private_linear":
            beta = np.linalg.solve(found.gram + penalty, found.with_target).astype(float)
            return cls(found.gram, beta, np.zeros(p), np.array([1.0, 0.0]))
        middle, half = middle_and_half(problem.target)
        mean = middle + half * float(np.clip(found.with_target[0] / found.rows, -_MOST, _MOST))
        beta = np.zeros(p)
        beta[0] = problem.likelihood.start(mean)
        weight = 0.25 if problem.kind == "private_logistic" else 2 * mean
        return cls(weight * found.gram + penalty, beta, np.zeros(p), np.array([1.0, 0.0]))

    @property
    def round(self) -> int:
        return round(float(self.state[0]))

    @property
    def end(self) -> Floats:
        """Return the mean of the later steps, in which noise averages out."""
        return self.later / self.state[1] if self.state[1] else self.beta

    def move(self, problem: Problem, gradient: Floats) -> None:
        pull = np.append(0.0, problem.spec.l2 * self.beta[1:])
        move = np.linalg.solve(self.curvature, gradient - pull)
        self.beta = self.beta + move * min(1.0, _LONGEST_MOVE / max(np.abs(move).sum(), 1e-300))
        if 2 * self.round > problem.spec.rounds:
            self.later, self.state[1] = self.later + self.beta, self.state[1] + 1
        self.state[0] += 1

    def checkpoint(self) -> Checkpoint:
        return {name: np.array(getattr(self, name)) for name in self.NAMES}


def _weights(p: int) -> Floats:
    """Return by what products count, so that a row's are as long as its squared length."""
    first, second = np.triu_indices(p)
    return np.where(first == second, 1.0, sqrt(2.0))


def _columns(problem: Problem, facts: Facts) -> int:
    return 1 + len(declared(facts, problem.spec.prepare).used)
