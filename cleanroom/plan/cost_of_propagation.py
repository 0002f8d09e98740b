"""What a propagation costs between its leaves and its result: as measured, from bounds alone.

Each member's payments are merged with all accounts. Per row of these merges (l: bits of an
account's name, log: log2 of the rows of one): to bring them into both orders 1.25 l log + 970 bits
and 22 log + 36 rounds; then 230 and 6, and for each round of scores 560 and 13; of a reach 60 and
11, and for each hop 360 and 18.
"""

from cleanroom.plan.graphs import Propagate


def of_propagation(node: Propagate, accounts: int, payments: int) -> tuple[int, int]:
    """Return bits that each party sends, and rounds.

    Args:
        accounts, payments: padded rows of all members.
    """
    parts, name = len(node.payments), node.payments[0].bits[0].bits
    rows, steps = parts * accounts + payments, node.flow.rounds
    log = (rows // parts).bit_length()
    bits, rounds = 5 * name * log // 4 + 970, 22 * log + 36
    if node.flow.kind == "propagate":
        bits, rounds = bits + 230 + 560 * steps, rounds + 6 + 13 * steps
    else:
        bits, rounds = bits + 60 + 360 * steps, rounds + 11 + 18 * steps
    return rows * bits, rounds
