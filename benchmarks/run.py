"""One benchmark from its name to its figures, beside plaintext and the machine's limit."""

from dataclasses import replace

from benchmarks import in_memory, over_grpc
from benchmarks.encrypted.names import ENCRYPTED, IN_A_ROOM
from benchmarks.gated import GATED
from benchmarks.in_process import IN_PROCESS
from benchmarks.linked import LINKED
from benchmarks.machine import machine
from benchmarks.measure import Asked, Line, line, timed
from benchmarks.names import CASES, make
from benchmarks.propagated import PROPAGATED
from benchmarks.released import RELEASED
from benchmarks.rooms import ROOMS as QUERIED
from benchmarks.training_round import ROOMS as TRAINED

ROOMS = {**QUERIED, **RELEASED, **GATED, **PROPAGATED, **LINKED, **TRAINED}
NAMES = (*CASES, *ROOMS, *ENCRYPTED, *IN_A_ROOM, *IN_PROCESS)


def run(asked: Asked) -> Line:
    """Measure what is asked for."""
    if asked.benchmark in ROOMS:
        return ROOMS[asked.benchmark](asked)
    if asked.benchmark in IN_PROCESS:
        return IN_PROCESS[asked.benchmark](replace(asked, transport="memory"))
    if asked.benchmark in IN_A_ROOM:
        return IN_A_ROOM[asked.benchmark](asked)
    if asked.benchmark in ENCRYPTED:
        return ENCRYPTED[asked.benchmark](replace(asked, transport="memory"))
    case = make(asked.benchmark, asked.rows)
    plaintext_s, expected = timed(case.plaintext, asked.runs)
    limits = machine()
    over_network = asked.transport == "grpc"
    if over_network:
        measured = over_grpc.measure(case, asked)
    else:
        measured = in_memory.measure(case, asked.runs)
    limit_s = limits.limit_seconds(measured, over_network=over_network)
    limit_s += measured.rounds * asked.latency_ms / 1000
    correct = case.correct(measured.results, expected)
    return line(asked, measured, plaintext_s, limit_s, correct=correct)
