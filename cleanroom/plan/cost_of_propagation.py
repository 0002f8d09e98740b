"""What a propagation costs between its leaves and its result: as measured, from bounds alone.

Per row (accounts and payments together; l: bits of an account's name, log: log2 of the rows): to
sort once by source and target 4 (l + log) log + 1400 bits and 150 + 9 log rounds; then 640 bits
and 6 rounds, and for each round of scores 920 and 11; of a reach 225 and 11, and for each hop 600
and 21.
"""

from cleanroom.plan.nodes import Propagate


def of_propagation(node: Propagate, rows: int) -> tuple[int, int]:
    """Return bits that each party sends, and rounds.

    Args:
        rows: padded, of all leaves.
    """
    log, name = rows.bit_length(), node.payments[0].bits[0].bits
    bits, rounds = 4 * (name + log) * log + 1400, 150 + 9 * log
    if node.flow.kind == "propagate":
        bits, rounds = bits + 640 + 920 * node.flow.rounds, rounds + 6 + 11 * node.flow.rounds
    else:
        bits, rounds = bits + 225 + 600 * node.flow.rounds, rounds + 11 + 21 * node.flow.rounds
    return rows * bits, rounds
