"""Which integers are exact modulo t, and the words that stand for them.

Rule: pure functions of vectors and bounds; each refusal comes before anything is encrypted.
"""

import numpy as np
from numpy.typing import NDArray

from protocols.he.parameters import Parameters
from protocols.he.scheme import VectorRefused, modulus_of
from protocols.rounds import U64

I64 = NDArray[np.int64]

MAX_CELLS = 1 << 19  # of one vector


class SumOutOfRange(ValueError):
    """The declared bounds allow a total that the plain modulus can't hold exactly."""


def check_reach(reach: int, parameters: Parameters) -> None:
    """Check before encryption that a total of absolute value `reach` is exact.

    Raises:
        SumOutOfRange: naming the bound.
    """
    most = (modulus_of(parameters) - 1) // 2
    if not reaches(reach, parameters):
        raise SumOutOfRange(f"a total may reach {reach}; {most} is the most that is exact")


def reaches(reach: int, parameters: Parameters) -> bool:
    """Tell whether a total of absolute value `reach` is exact."""
    return 0 <= reach <= (modulus_of(parameters) - 1) // 2


def check_cells(cells: I64, reach: int) -> None:
    """Check what is to be encrypted.

    Raises:
        VectorRefused: if it isn't a vector of int64 that has cells, and not too many.
        SumOutOfRange: if a cell lies beyond the declared reach of the total.
    """
    if cells.dtype != np.int64 or cells.ndim != 1:
        raise VectorRefused("cells are a vector of int64: floats aren't exact")
    if not 0 < cells.size <= MAX_CELLS:
        raise VectorRefused(f"{cells.size} cells; a vector has 1 to {MAX_CELLS}")
    if int(cells.max()) > reach or int(cells.min()) < -reach:
        raise SumOutOfRange(f"a cell lies beyond {reach}, the declared reach of the total")


def residues(values: I64, modulus: int) -> U64:
    """Return the words mod `modulus` of integers of at most half of it, either sign."""
    return (values + (values >> 63 & modulus)).view(np.uint64)


def signed(words: U64, modulus: int) -> I64:
    """Return the integers around 0 of words mod `modulus`."""
    large = words > (modulus - 1) // 2
    return np.where(large, words - np.uint64(modulus), words).view(np.int64)
