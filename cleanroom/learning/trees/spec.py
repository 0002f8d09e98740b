"""What a training of gradient boosted trees may be told: public, and part of the plan."""

from typing import Literal

from pydantic import Field

from cleanroom.contract.fields import Strict


class Spec(Strict):
    """Settings of the learner.

    Attributes:
        loss: `logistic` for a target of 0 and 1, `squared` for a number within declared bounds.
        l2: added to the weight of a leaf.
        min_child_weight: least sum of second derivatives of a leaf: rows under squared loss, at
            most a quarter of the rows under logistic loss.
        min_gain: a split must lower the loss by more than this.
        growth: `level` splits every leaf of a level in one step; `leaf` splits the best leaf of
            the tree, until there are `max_leaves`, in a step each.
        max_bins: of a number, without the bin of missing values.
        categories: `one_hot` sets one value apart from the others; `ordered` cuts the values in
            the order of their mean gradients.
    """

    kind: Literal["gbdt"] = "gbdt"
    loss: Literal["logistic", "squared"] = "logistic"
    trees: int = Field(default=100, ge=1, le=1000)
    learning_rate: float = Field(default=0.1, gt=0, le=1)
    l2: float = Field(default=1.0, ge=0, le=1e9)
    min_child_weight: float = Field(default=1.0, gt=0, le=1e9)
    min_gain: float = Field(default=0.0, ge=0, le=1e9)
    max_depth: int = Field(default=6, ge=1, le=10)
    growth: Literal["level", "leaf"] = "level"
    max_leaves: int = Field(default=31, ge=2, le=1024)
    max_bins: int = Field(default=63, ge=2, le=255)
    categories: Literal["one_hot", "ordered"] = "one_hot"
