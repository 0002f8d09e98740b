"""What an owner does in a round: stochastic gradient descent on its own rows, then a clip.

Rule: deterministic under the seed of the job.
"""

import numpy as np
from numpy.typing import NDArray

from cleanroom.learning.facts import Floats
from cleanroom.learning.networks.perceptron import Perceptron
from cleanroom.learning.networks.spec import Spec
from protocols.randomness import stream


def trained(
    spec: Spec, network: Perceptron, weights: Floats, rows: Floats, target: Floats, number: int
) -> Floats:
    """Return the weights after a round's local epochs, (size,); not finite if they diverged.

    Args:
        weights: of the round, which `proximal` pulls back to.
        number: of the round; it chooses the order of rows.

    Source: FedProx is the proximal term of Li, Sahu, Zaheer, Sanjabi, Talwalkar, Smith, MLSys 2020.
    """
    mine, speed = weights.copy(), np.zeros_like(weights)
    with np.errstate(over="ignore", invalid="ignore"):
        for epoch in range(spec.local_epochs):
            order = _order(spec.seed, number, epoch, len(rows))
            for start in range(0, len(order), spec.batch_size):
                batch = order[start : start + spec.batch_size]
                slope = network.gradient(mine, rows[batch], target[batch])
                if spec.l2:
                    slope += spec.l2 * mine
                if spec.proximal:
                    slope += spec.proximal * (mine - weights)
                speed *= spec.momentum
                speed -= spec.learning_rate * slope
                mine += speed
    return mine


def clipped(update: Floats, max_norm: float) -> Floats:
    """Return the update, shortened to a Euclidean length of at most `max_norm`."""
    largest = np.abs(update).max(initial=0.0)
    if largest == 0.0:
        return update
    norm = float(largest * np.linalg.norm(update / largest))
    shorter: Floats = update * min(1.0, max_norm / norm)
    return shorter.clip(-max_norm, max_norm)


def _order(seed: int, number: int, epoch: int, n: int) -> NDArray[np.int64]:
    words = stream(seed.to_bytes(32, "big"), f"order of rows {number} {epoch}", n)
    return np.argsort(words, kind="stable")
