"""The network: one hidden layer, logistic loss, full batches."""

import numpy as np
import pyarrow.parquet as pq

NAMES = ("hidden.weight", "hidden.bias", "out.weight", "out.bias")


def load(context):
    table = pq.read_table(context.node_config["data"]).to_pydict()
    y = np.array(table.pop(context.run_config["target"]))
    return np.column_stack([table[name] for name in sorted(table)]), y


def first(features, hidden, generator):
    return [
        generator.normal(size=(features, hidden)) / np.sqrt(features),
        np.zeros(hidden),
        generator.normal(size=(hidden, 1)) / np.sqrt(hidden),
        np.zeros(1),
    ]


def predict(weights, x):
    w1, b1, w2, b2 = weights
    h = np.tanh(x @ w1 + b1)
    return h, 1 / (1 + np.exp(-(h @ w2 + b2)[:, 0]))


def train(weights, x, y, epochs, rate):
    w1, b1, w2, b2 = (w.copy() for w in weights)
    for _ in range(epochs):
        h, p = predict((w1, b1, w2, b2), x)
        g = (p - y)[:, None] / len(y)
        gh = (g @ w2.T) * (1 - h * h)
        w2 -= rate * h.T @ g
        b2 -= rate * g.sum(0)
        w1 -= rate * x.T @ gh
        b1 -= rate * gh.sum(0)
    return [w1, b1, w2, b2]


def loss(weights, x, y):
    p = np.clip(predict(weights, x)[1], 1e-9, 1 - 1e-9)
    return float(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))
