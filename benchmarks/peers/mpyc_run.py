"""MPyC: `python -m benchmarks.peers.mpyc_run BENCHMARK ROWS RUNS`, Shamir shares, asyncio."""

import sys
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from benchmarks.peers.three import Meter, data, play


def main(benchmark: str, rows: int, runs: int) -> None:
    """Run three parties and check what they open."""
    x, *more = data(benchmark, rows)
    y = more[0] if more else x
    expected = {
        "multiply": lambda: x * y,
        "less_than": lambda: x < y,
        "equality": lambda: x == y,
        "sort": lambda: np.sort(x),
    }[benchmark]()

    def check(results: Any) -> bool:
        return all([int(v) for v in result] == expected.tolist() for result in results)

    play(party, rows, [[benchmark, rows, runs]] * 3, check)


def party(
    rank: int, ports: list[int], benchmark: str, rows: int, runs: int, pipe: Connection
) -> None:
    """Run one party's side `runs` times after one that isn't counted."""
    places = [word for port in ports for word in ("-P", f"127.0.0.1:{port}")]
    sys.argv = ["party", *places, "-I", str(rank), "--no-log"]
    from mpyc.runtime import mpc

    mpc.run(_play(mpc, benchmark, rows, runs, pipe))


async def _play(mpc: Any, benchmark: str, rows: int, runs: int, pipe: Connection) -> None:
    operation = {
        "multiply": mpc.np_multiply,
        "less_than": mpc.np_less,
        "equality": mpc.np_equal,
        "sort": mpc.np_sort,
    }[benchmark]
    integers, meter = mpc.SecInt(64), Meter()
    await mpc.start()
    columns = [integers.array(column.astype(object)) for column in data(benchmark, rows)]
    shared = [mpc.input(column, senders=0) for column in columns]
    for column in shared:
        await mpc.gather(column)
    for _ in range(runs + 1):
        await mpc.barrier()
        meter.begin()
        result = operation(*shared)
        await mpc.gather(result)
        meter.end()
    opened = await mpc.output(result)
    pipe.send(meter.report([int(value) for value in opened]))
    await mpc.shutdown()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
