"""A multi-layer perceptron over one flat vector of weights: forward, loss, gradient.

Rule: pure arithmetic on rows that are numbers already.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np

from cleanroom.learning.facts import Floats
from protocols.randomness import stream

Loss: TypeAlias = Literal["logistic", "softmax", "squared"]
Layers: TypeAlias = Sequence[tuple[Floats, Floats]]
MAX_LOSS = 64.0  # of one row: more counts as this


@dataclass(frozen=True, slots=True)
class Perceptron:
    """The shape of a network.

    Attributes:
        widths: of the input, each hidden layer, and the output.
    """

    widths: tuple[int, ...]
    loss: Loss

    @property
    def size(self) -> int:
        """How many weights and biases there are."""
        return sum((a + 1) * b for a, b in pairwise(self.widths))

    def layers(self, weights: Floats) -> Layers:
        """Return views of (inputs, units) weights and (units,) biases of each layer."""
        found, start = [], 0
        for a, b in pairwise(self.widths):
            middle, stop = start + a * b, start + (a + 1) * b
            found.append((weights[start:middle].reshape(a, b), weights[middle:stop]))
            start = stop
        return found

    def first(self, seed: int) -> Floats:
        """Return weights to begin with: uniform, of variance 2 / inputs, and biases of 0.

        Source: He, Zhang, Ren, Sun, ICCV 2015.
        """
        words = stream(seed.to_bytes(32, "big"), "weights of a network", self.size)
        weights = (words >> 11).astype(np.float64) * 2.0**-52 - 1.0
        for (matrix, biases), inputs in zip(self.layers(weights), self.widths, strict=False):
            matrix *= np.sqrt(6.0 / inputs)
            biases[:] = 0.0
        return weights

    def scores(self, weights: Floats, rows: Floats) -> Floats:
        """Return (n, outputs) for (n, inputs)."""
        return self._forward(self.layers(weights), rows)[-1]

    def loss_sum(self, weights: Floats, rows: Floats, target: Floats) -> float:
        """Return the loss of all rows together, each at most MAX_LOSS."""
        return float(row_losses(self.loss, self.scores(weights, rows), target).sum())

    def gradient(self, weights: Floats, rows: Floats, target: Floats) -> Floats:
        """Return the mean gradient over (n, inputs) rows, (size,)."""
        layers, result = self.layers(weights), np.empty(self.size)
        outputs = self._forward(layers, rows)
        inputs = [rows, *outputs[:-1]]
        delta = slopes(self.loss, outputs[-1], target) / len(rows)
        slots = self.layers(result)
        for k in reversed(range(len(layers))):
            np.matmul(inputs[k].T, delta, out=slots[k][0])
            delta.sum(axis=0, out=slots[k][1])
            if k:
                delta = (delta @ layers[k][0].T) * (inputs[k] > 0)
        return result

    def row_gradients(self, weights: Floats, rows: Floats, target: Floats) -> Floats:
        """Return each row's own gradient, (n, size)."""
        layers, result = self.layers(weights), np.empty((len(rows), self.size))
        outputs = self._forward(layers, rows)
        inputs, stop = [rows, *outputs[:-1]], self.size
        delta = slopes(self.loss, outputs[-1], target)
        for k in reversed(range(len(layers))):
            a, b = layers[k][0].shape
            middle, start = stop - b, stop - (a + 1) * b
            result[:, middle:stop] = delta
            products = inputs[k][:, :, None] * delta[:, None, :]
            result[:, start:middle] = products.reshape(len(rows), -1)
            if k:
                delta = (delta @ layers[k][0].T) * (inputs[k] > 0)
            stop = start
        return result

    @staticmethod
    def _forward(layers: Layers, rows: Floats) -> list[Floats]:
        """Return what each layer puts out."""
        outputs: list[Floats] = []
        at = rows
        for k, (matrix, biases) in enumerate(layers):
            at = at @ matrix + biases
            if k + 1 < len(layers):
                np.maximum(at, 0.0, out=at)
            outputs.append(at)
        return outputs


def probabilities(scores: Floats) -> Floats:
    """Return (n, k) shares that add up to 1 of each row's (n, k) scores."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Floats = raised / raised.sum(axis=1, keepdims=True)
    return shares


def chance(scores: Floats) -> Floats:
    """Return 1 / (1 + exp(-score)) without overflow."""
    found: Floats = 0.5 * (1.0 + np.tanh(0.5 * scores))
    return found


def slopes(loss: Loss, scores: Floats, target: Floats) -> Floats:
    """Return each row's derivative by its scores, (n, outputs)."""
    if loss == "squared":
        return scores - target[:, None]
    if loss == "logistic":
        return chance(scores) - target[:, None]
    found = probabilities(scores)
    found[np.arange(len(target)), target.astype(np.int64)] -= 1.0
    return found


def row_losses(loss: Loss, scores: Floats, target: Floats) -> Floats:
    """Return each row's loss, (n,), at most MAX_LOSS."""
    with np.errstate(over="ignore", invalid="ignore"):
        if loss == "squared":
            found = 0.5 * (scores[:, 0] - target) ** 2
        elif loss == "logistic":
            found = np.logaddexp(0.0, scores[:, 0]) - target * scores[:, 0]
        else:
            shifted = scores - scores.max(axis=1, keepdims=True)
            chosen = shifted[np.arange(len(target)), target.astype(np.int64)]
            found = np.log(np.exp(shifted).sum(axis=1)) - chosen
    kept: Floats = np.where(np.isfinite(found), found, MAX_LOSS).clip(0.0, MAX_LOSS)
    return kept
