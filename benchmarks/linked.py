"""What a linkage costs in a room of real processes: from the request to how many each rung links.

`plaintext` is pandas on values that are clean already, without the probabilistic pass.
"""

from typing import Any

from benchmarks import febrl, tables
from benchmarks.machine import machine
from benchmarks.measure import Asked, Line, Measured, line, timed
from benchmarks.rooms import cpu_seconds, status
from cleanroom import LocalRoom

SIZES = {"query_linked": (febrl.PERSONS,)}
_RUNGS = "SELECT rung, COUNT(*) AS n FROM same_person GROUP BY rung ORDER BY rung"
_RIGHT = """SELECT COUNT(*) AS pairs, SUM(CASE WHEN a.truth = b.truth THEN 1 ELSE 0 END) AS hits
    FROM hospital_a.patients a JOIN same_person l ON a.id = l.left_id
    JOIN hospital_b.patients b ON b.id = l.right_id"""
_GOOD = 0.998  # F1


def query_linked(asked: Asked) -> Line:
    """Link `rows` persons of two registers, FEBRL's, by ten rungs and by similarity."""
    registers = febrl.registers(asked.rows)
    clean = febrl.clean(registers)
    plaintext_s, expected = timed(lambda: febrl.pairs_of(clean), asked.runs)
    with LocalRoom(_contract(asked.rows), registers) as room:
        room.sql(_RUNGS)
        before = cpu_seconds(room)
        results = [room.sql(_RUNGS) for _ in range(asked.runs)]
        cpu_s = (cpu_seconds(room) - before) / asked.runs
        peaks = [status(worker.pid, "VmHWM") for worker in room.workers.values()]
        ((pairs, hits),) = room.sql(_RIGHT).to_pandas().to_numpy().tolist()
    sent = results[0].stats.bytes_sent // 3
    seconds = tuple(result.stats.seconds for result in results)
    rounds = results[0].stats.rounds
    measured = Measured(seconds, cpu_s, (sent, sent, sent), rounds, max(peaks), sum(peaks), results)
    limit_s = machine().limit_seconds(measured, over_network=True)
    f1 = 2 * hits / (pairs + asked.rows)
    by_rung = expected["rung"].value_counts().to_dict()
    found = [result.to_pandas().set_index("rung")["n"].to_dict() for result in results]
    correct = f1 >= _GOOD and all(one.items() >= by_rung.items() for one in found)
    return {**line(asked, measured, plaintext_s, limit_s, correct=correct), "f1": f1}


def _contract(rows: int) -> dict[str, Any]:
    agreed = tables.contract(rows)
    members = zip(("hospital_a", "hospital_b", "laboratory"), tables.BANKS, strict=True)
    named = {name: agreed["members"][bank] for name, bank in members}
    return {
        **agreed,
        "members": {**named, "analyst": {"roles": ["result"]}},
        "privacy": {"release": "sdc", "min_group": 1, "complementary": "off"},
        "tables": {name: febrl.table(rows) for name in febrl.TABLES},
        "linkages": {"same_person": febrl.linkage(fuzzy=True)},
    }


LINKED = {"query_linked": query_linked}
