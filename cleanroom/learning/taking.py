"""What an owner takes out of a step whose arrays vary in length: checked numbers.

Rule: the recipient wrote the step, so nothing in it is used before it was checked.
"""

import numpy as np
from numpy.typing import NDArray

from cleanroom.learning.errors import StepRefused
from cleanroom.learning.facts import Floats
from cleanroom.learning.step import Step


def check_names(step: Step, *names: str) -> None:
    """Refuse a step that carries other arrays than these."""
    wrong = sorted(set(step.numbers) ^ set(names))
    if wrong:
        raise StepRefused(f"{step.name} with too many or too few numbers: {', '.join(wrong)}")


def floats(step: Step, name: str, *shape: int | None) -> Floats:
    """Return finite numbers of a shape; None stands for any length.

    Raises:
        StepRefused: if there is no such array, or it has another shape, or NaN or infinity.
    """
    array = step.numbers.get(name)
    if array is None:
        raise StepRefused(f"{step.name} without {name}")
    fits = array.ndim == len(shape) and all(
        wanted is None or wanted == found for wanted, found in zip(shape, array.shape, strict=True)
    )
    if not fits:
        raise StepRefused(f"{step.name}: {name} is of the shape {array.shape}")
    if not np.isfinite(array).all():
        raise StepRefused(f"{step.name}: {name} isn't finite")
    return array


def integers(
    step: Step, name: str, *shape: int | None, below: int, least: int = 0
) -> NDArray[np.int64]:
    """Return whole numbers from `least` to below `below`.

    Raises:
        StepRefused: as for `floats`, and if one isn't whole or in range.
    """
    array = floats(step, name, *shape)
    if array.size and (array.min() < least or array.max() >= below or (array % 1).any()):
        raise StepRefused(f"{step.name}: {name} isn't whole numbers from {least} to below {below}")
    return array.astype(np.int64)
