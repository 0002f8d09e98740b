"""What the sums of a training tell the recipient, in words for its sheet.

Rule: a line for whatever a family's steps open beside the model, and one for what a single row can
be told from. Words alone: nothing here is computed with.
"""

from collections.abc import Mapping

_COLUMNS = (
    "how many rows there are, each number's mean and variance, how often each value of a category "
    "and of the target occurs"
)
_NEWTON = "loss, gradient and curvature of all rows at each round's coefficients"
HELD_OUT = "of the rows held out, how many of each outcome have which score, or summed errors"
ATTACKED = "of the rows that trained and those held out, how many have which loss"
OPENS: Mapping[str, tuple[str, ...]] = {
    "linear": (_COLUMNS, _NEWTON),
    "logistic": (_COLUMNS, _NEWTON),
    "poisson": (_COLUMNS, _NEWTON),
    "cox": (
        _COLUMNS,
        "how many rows leave at each time of the grid, and with an event",
        "between two times with events, sums over the rows that leave there: a row that leaves "
        "alone is told whole; `least` keeps so many of them together",
    ),
    "gbdt": (
        "how many rows lie in each of 1024 cells of every number, four times over, and the sum of "
        "the target",
        "loss and gradients of each node's rows, by the bins of every column: a row that is alone "
        "in a node is told bin by bin, with its target; `min_child_weight` makes nodes larger",
    ),
    "network": (_COLUMNS, "each round's mean update, weighted by rows, and the loss before it"),
    "pca": (_COLUMNS, "the products of all columns"),
    "kmeans": (
        _COLUMNS,
        "the products of all columns",
        "each cluster's rows and their sum in each round: a row that alone changes its cluster "
        "between two rounds is told whole",
    ),
}
