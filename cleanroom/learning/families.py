"""The kinds of models that can be trained, by name: the allowlist that owners run from.

Rule: a line for each family. Owners build their side from a job's text by this table alone, so
nothing that isn't listed here ever runs; a model travels as JSON and is rebuilt the same way.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from operator import attrgetter
from typing import Any, Self
from typing import Protocol as Interface

from numpy.typing import ArrayLike
from pydantic import BaseModel

from cleanroom.errors import ModelMismatch
from cleanroom.flower import family as flower
from cleanroom.learning import cox, kmeans, linear, logistic, networks, pca, poisson, trees
from cleanroom.learning.cox_model import CoxModel
from cleanroom.learning.describing import MALFORMED
from cleanroom.learning.facts import Facts, Floats, Rows
from cleanroom.learning.kmeans_model import KMeansModel
from cleanroom.learning.linear_model import LinearModel
from cleanroom.learning.private import kinds, network
from cleanroom.learning.private.model import PrivateModel
from cleanroom.learning.step import Owner, Training


class Model(Interface):
    """What a training returns."""

    def predict(self, columns: Mapping[str, ArrayLike]) -> Floats:
        """Return one number for each row of raw columns."""
        ...

    def to_json(self) -> str:
        """Return the model as text whose key 'kind' names its family."""
        ...

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` returned.

        Raises:
            ModelMismatch: if the text isn't such a model.
        """
        ...


def _few(_: object) -> int:
    return 4


def _of_a_tree(spec: trees.Spec) -> int:
    return 2 + (spec.max_leaves if spec.growth == "leaf" else spec.max_depth)


@dataclass(frozen=True)
class Family:
    """One kind of model.

    Attributes:
        spec: public settings; its field `kind` is the family's name.
        train: (spec, facts, resume) -> the training at the recipient.
        owner: (spec, facts, rows) -> an owner's side.
        model: what the training returns.
        rounds: spec -> how many rounds a training takes at most.
        steps: spec -> how many steps a round takes at most, but for the first and the last.
        cost: (spec, facts) -> the privacy in rho that a whole training costs a person; None where
            sums are exact. Such a spec says more of it as `dp`.
    """

    spec: type[BaseModel]
    train: Callable[[Any, Facts, Mapping[str, Floats] | None], Training[Any]]
    owner: Callable[[Any, Facts, Rows], Owner]
    model: type[Model]
    cost: Callable[[Any, Facts], Fraction] | None = None
    rounds: Callable[[Any], int] = attrgetter("max_rounds")
    steps: Callable[[Any], int] = _few


_ROUNDS = attrgetter("rounds")
_PRIVATE = kinds.train, kinds.owner, PrivateModel, kinds.cost, _ROUNDS
FAMILIES: Mapping[str, Family] = {
    "cox": Family(cox.Spec, cox.train, cox.owner, CoxModel),
    "flower": Family(
        flower.Spec,
        flower.train,
        flower.owner,
        flower.ArraysModel,
        rounds=_ROUNDS,
        steps=lambda spec: 2 * len(spec.metrics),
    ),
    "gbdt": Family(
        trees.Spec,
        trees.train,
        trees.owner,
        trees.Model,
        rounds=attrgetter("trees"),
        steps=_of_a_tree,
    ),
    "kmeans": Family(kmeans.Spec, kmeans.train, kmeans.owner, KMeansModel),
    "linear": Family(linear.Spec, linear.train, linear.owner, LinearModel),
    "logistic": Family(logistic.Spec, logistic.train, logistic.owner, LinearModel),
    "network": Family(
        networks.Spec, networks.train, networks.owner, networks.NetworkModel, rounds=_ROUNDS
    ),
    "pca": Family(pca.Spec, pca.train, pca.owner, pca.PcaModel, rounds=lambda _: 1),
    "poisson": Family(poisson.Spec, poisson.train, poisson.owner, LinearModel),
    "private_linear": Family(kinds.LinearSpec, *_PRIVATE),
    "private_logistic": Family(kinds.LogisticSpec, *_PRIVATE),
    "private_network": Family(
        network.Spec, network.train, network.owner, network.PrivateNetwork, network.cost, _ROUNDS
    ),
    "private_poisson": Family(kinds.PoissonSpec, *_PRIVATE),
}


def model_from_json(text: str) -> Model:
    """Rebuild a model of any family.

    Raises:
        ModelMismatch: if the text is no model of a family that is listed.
    """
    try:
        return FAMILIES[json.loads(text)["kind"]].model.from_json(text)
    except MALFORMED:
        raise ModelMismatch("not a model of a known family") from None
