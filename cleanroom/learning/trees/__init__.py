"""Gradient boosted trees from histograms that are summed over all owners.

Rule: owners round derivatives to whole numbers before they add them, so the trees are those of the
pooled rows, bit by bit.
"""

from cleanroom.learning.trees.model import Model
from cleanroom.learning.trees.owner import TreesOwner, owner
from cleanroom.learning.trees.spec import Spec
from cleanroom.learning.trees.train import train

__all__ = ["Model", "Spec", "TreesOwner", "owner", "train"]
