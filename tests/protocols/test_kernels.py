"""Compiled loops against their NumPy form."""

import numpy as np
import pytest

from protocols.rep3 import kernels, short_kernels
from protocols.rounds import U64


def words(rng: np.random.Generator, *shape: int) -> U64:
    return rng.integers(0, 2**64, shape, dtype=np.uint64)


@pytest.mark.parametrize(("kx", "ky"), [(4, 4), (1, 4), (4, 1)])
@pytest.mark.parametrize(("start", "n"), [(0, 40), (3, 1), (7, 30), (39, 1), (10, 10)])
def test_and_block(rng, kx: int, ky: int, start: int, n: int) -> None:
    w = 10
    x0, x1, y0, y1 = words(rng, kx, w), words(rng, kx, w), words(rng, ky, w), words(rng, ky, w)
    a, b, z = words(rng, n), words(rng, n), np.empty(n, dtype=np.uint64)
    steps = (w if kx > 1 else 0, w if ky > 1 else 0)
    flat = [operand.ravel() for operand in (x0, x1, y0, y1)]
    kernels.and_block(*flat, a, b, z, start, w, *steps)
    expected = ((x0 & (y0 ^ y1)) ^ (x1 & y0)).ravel()[start : start + n] ^ a ^ b
    np.testing.assert_array_equal(z, expected)
    kernels.and_more(*flat, z, start, w, *steps)
    np.testing.assert_array_equal(z, a ^ b)


def test_multiply_block(rng) -> None:
    x0, x1, y0, y1, a, b = words(rng, 6, 100)
    z = np.empty(100, dtype=np.uint64)
    kernels.multiply_block(x0, x1, y0, y1, a, b, z)
    np.testing.assert_array_equal(z, x0 * (y0 + y1) + x1 * y0 + a - b)


@pytest.mark.parametrize("n", [0, 1, 63, 64, 65, 1100])
@pytest.mark.parametrize("k", [0, 1, 7, 8, 21, 64, 65, 130])
def test_planes_and_bytes(rng, n: int, k: int) -> None:
    w, c = -(-n // 64), -(-k // 8)
    planes, rows = words(rng, k, w), np.empty((n, c), dtype=np.uint8)
    kernels.planes_to_bytes(planes, rows)
    bits = np.unpackbits(planes[::-1].view(np.uint8), axis=1, count=n, bitorder="little")
    np.testing.assert_array_equal(rows, np.packbits(bits, axis=0, bitorder="little").T)

    again = np.empty_like(planes)
    wide = np.concatenate([rows, np.full((n, 1), 255, dtype=np.uint8)], axis=1)
    kernels.bytes_to_planes(wide, again)
    expected = np.zeros((k, 8 * w), dtype=np.uint8)
    expected[:, : -(-n // 8)] = np.packbits(bits[::-1], axis=1, bitorder="little")
    np.testing.assert_array_equal(again, expected.view(np.uint64))


@pytest.mark.parametrize("n", [0, 1, 64, 1100])
@pytest.mark.parametrize("k", [1, 20, 85])
def test_picked_planes(rng, n: int, k: int) -> None:
    c = -(-k // 64)
    rows, order = words(rng, 500, 2 * c + 1), rng.integers(0, 500, n)
    halves = np.empty((2, k, -(-n // 64)), dtype=np.uint64)
    kernels.picked_planes(rows, order, *halves)
    for planes, half in zip(halves, (rows[:, :c], rows[:, c : 2 * c]), strict=True):
        again = np.empty_like(planes)
        kernels.bytes_to_planes(np.ascontiguousarray(half[order]).view(np.uint8), again)
        np.testing.assert_array_equal(planes, again)


@pytest.mark.parametrize(("d", "m", "n"), [(8, 1, 1), (16, 3, 300), (24, 5, 256)])
def test_add_products(rng, d: int, m: int, n: int) -> None:
    x, y, sums = (rng.integers(0, 1 << 16, s).astype(np.uint16) for s in ((d, m), (d, n), (m, n)))
    expected = sums + (x.astype(np.int64).T @ y.astype(np.int64)).astype(np.uint16)
    short_kernels.add_products(x, y, sums)
    np.testing.assert_array_equal(sums, expected)


@pytest.mark.parametrize(("d", "n", "window"), [(8, 64, 1), (16, 300, 7), (24, 512, 32)])
def test_add_near_products(rng, d: int, n: int, window: int) -> None:
    x = rng.integers(0, 1 << 16, (d, n), dtype=np.uint16)
    y = rng.integers(0, 1 << 16, (d, n + window), dtype=np.uint16)
    sums = np.ones((window, n), dtype=np.uint16)
    short_kernels.add_near_products(x, y, sums)
    for i in range(window):
        expected = 1 + (x * y[:, 1 + i : 1 + i + n]).sum(axis=0, dtype=np.uint16)
        np.testing.assert_array_equal(sums[i], expected.astype(np.uint16))


@pytest.mark.parametrize("w", [0, 1, 33])
def test_octets_to_planes(rng, w: int) -> None:
    octets, planes = rng.integers(0, 256, 64 * w).astype(np.uint8), np.empty((8, w), np.uint64)
    short_kernels.octets_to_planes(octets, planes)
    bits = np.unpackbits(octets[:, None], axis=1).T
    np.testing.assert_array_equal(
        planes.view(np.uint8), np.packbits(bits, axis=1, bitorder="little")
    )
