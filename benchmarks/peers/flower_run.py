"""Flower: `python -m benchmarks.peers.flower_run BENCHMARK WORDS RUNS`, three clients.

`secagg` is its SecAgg+ in one process, `train_round` FedAvg over its own network. It reports to
nobody and looks for no updates.
"""

import json
import os
import sys
from importlib import import_module

_MODULES = {"secagg": "flower_secagg", "train_round": "flower_network"}


def main(benchmark: str, words: int, runs: int) -> None:
    """Run a round that isn't counted, then `runs`; print one line of JSON."""
    os.environ.update(FLWR_TELEMETRY_ENABLED="0", FLWR_DISABLE_UPDATE_CHECK="1")
    found = import_module(f"benchmarks.peers.{_MODULES[benchmark]}").measured(words, runs)
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
