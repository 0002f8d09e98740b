"""The benchmarks that need no other process, by name, and the sizes that a report measures."""

from collections.abc import Callable

from benchmarks import boosting, evidence, kept, learning, noise, rulings, secure_sums
from benchmarks.measure import Asked, Line

IN_PROCESS: dict[str, Callable[[Asked], Line]] = {
    **noise.IN_PROCESS,
    **evidence.IN_PROCESS,
    **kept.IN_PROCESS,
    **rulings.IN_PROCESS,
    **learning.IN_PROCESS,
    **boosting.IN_PROCESS,
    **secure_sums.IN_PROCESS,
}
SIZES = {
    **noise.SIZES,
    **evidence.SIZES,
    **kept.SIZES,
    **rulings.SIZES,
    **learning.SIZES,
    **boosting.SIZES,
    **secure_sums.SIZES,
}
