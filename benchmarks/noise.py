"""What a party computes on its own: exact noise, beside NumPy's inexact one."""

import time
from fractions import Fraction

import numpy as np

from benchmarks.measure import (
    Asked,
    Line,
    Measured,
    line,
    peak_memory_bytes,
    reset_peak_memory,
    timed,
)
from protocols.dp.gaussian import discrete_gaussian
from protocols.dp.words import Words

VARIANCE = Fraction(10**6)
_WANTED_S = 5e-6  # a value: 10 000 in 50 ms
_KEY = bytes(32)


def dp_noise(asked: Asked) -> Line:
    """Draw `rows` discrete Gaussian values, sigma 1000."""
    rng = np.random.default_rng(1)
    plaintext_s, _ = timed(lambda: np.rint(rng.normal(0, 1000, asked.rows)), asked.runs)
    words = Words(_KEY, "benchmark")
    discrete_gaussian(words, VARIANCE, asked.rows)
    reset_peak_memory()
    started = time.process_time()
    seconds, drawn = timed(lambda: discrete_gaussian(words, VARIANCE, asked.rows), asked.runs)
    cpu_s = (time.process_time() - started) / asked.runs
    ratio = float((drawn.astype(float) ** 2).mean()) / float(VARIANCE)
    peak = peak_memory_bytes()
    measured = Measured((seconds,) * asked.runs, cpu_s, (0, 0, 0), 0, peak, peak, (drawn,))
    correct = abs(ratio - 1) < 8 / np.sqrt(asked.rows)
    return line(asked, measured, plaintext_s, _WANTED_S * asked.rows, correct=bool(correct))


IN_PROCESS = {"dp_noise": dp_noise}
SIZES = {"dp_noise": (10_000, 1_000_000)}
