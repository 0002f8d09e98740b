"""SPU: `python -m benchmarks.peers.spu_run BENCHMARK ROWS RUNS`, ABY3 over Z_2^64, brpc."""

import sys
from multiprocessing.connection import Connection
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import config
from spu import api, libspu
from spu.ops.groupby.aggregation import groupby_count, groupby_sum
from spu.ops.groupby.segmentation import groupby
from spu.utils import frontend

from benchmarks.peers.three import Meter, data, play

config.update("jax_enable_x64", True)
_SECRET = libspu.Visibility.VIS_SECRET


def _group_by(keys: Any, values: Any) -> Any:
    ordered, columns, _, marks = groupby([keys], [values])
    return ordered[0], marks, groupby_sum(columns, marks), groupby_count(columns, marks)


_FUNCTIONS = {
    "multiply": lambda x, y: x * y,
    "less_than": lambda x, y: x < y,
    "equality": lambda x, y: x == y,
    "sort": jnp.sort,
    "group_by": _group_by,
}


def main(benchmark: str, rows: int, runs: int) -> None:
    """Share the inputs, run three parties, check what they hold."""
    columns = data(benchmark, rows)
    io = api.Io(3, _config())
    shares = [io.make_shares(column, _SECRET) for column in columns]
    rest = [[benchmark, rows, runs, [share[rank] for share in shares]] for rank in range(3)]

    def check(results: Any) -> bool:
        outs = [io.reconstruct(list(parts)) for parts in zip(*results, strict=True)]
        return _correct(benchmark, columns, outs)

    play(party, rows, rest, check)


def party(
    rank: int, ports: list[int], benchmark: str, rows: int, runs: int, inputs: Any, pipe: Connection
) -> None:
    """Run one party's side `runs` times after one that isn't counted."""
    desc = libspu.link.Desc()
    desc.recv_timeout_ms = 600_000
    for i, port in enumerate(ports):
        desc.add_party(f"p{i}", f"127.0.0.1:{port}")
    link = libspu.link.create_brpc(desc, rank)
    runtime, program, meter = api.Runtime(link, _config()), _compiled(benchmark, rows), Meter()
    for name, share in zip(program.input_names, inputs, strict=True):
        runtime.set_var(name, share)
    for _ in range(runs + 1):
        link.barrier()
        meter.begin()
        runtime.run(program)
        meter.end()
    link.barrier()
    pipe.send(meter.report([runtime.get_var(name) for name in program.output_names]))
    link.barrier()
    link.stop_link()


def _config() -> Any:
    return libspu.RuntimeConfig(
        protocol=libspu.ProtocolKind.ABY3, field=libspu.FieldType.FM64, fxp_fraction_bits=18
    )


def _compiled(benchmark: str, rows: int) -> Any:
    columns = data(benchmark, rows)
    names = [f"in{i}" for i in range(len(columns))]
    program, _ = frontend.compile(
        frontend.Kind.JAX,
        _FUNCTIONS[benchmark],
        columns,
        {},
        names,
        [_SECRET] * len(names),
        lambda outs: [f"out{i}" for i in range(len(outs))],
    )
    return program


def _correct(benchmark: str, columns: tuple[np.ndarray, ...], outs: list[np.ndarray]) -> bool:
    if benchmark == "group_by":
        return _correct_groups(columns, outs)
    expected = {
        "multiply": lambda x, y: x * y,
        "less_than": lambda x, y: x < y,
        "equality": lambda x, y: x == y,
        "sort": np.sort,
    }[benchmark](*columns)
    return np.array_equal(outs[0], expected)


def _correct_groups(columns: tuple[np.ndarray, ...], outs: list[np.ndarray]) -> bool:
    keys, marks, sums, counts = outs
    last = np.round(marks).astype(int) == 1
    unique, place, n = np.unique(columns[0], return_inverse=True, return_counts=True)
    total = np.bincount(place, weights=columns[1])
    same_keys = np.array_equal(keys[last], unique)
    same_totals = last.sum() == len(unique) and np.allclose(sums[last].ravel(), total, atol=0.5)
    same_counts = last.sum() == len(unique) and np.allclose(counts[last].ravel(), n, atol=0.5)
    return bool(same_keys and same_totals and same_counts)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
