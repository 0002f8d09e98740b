"""GROUP BY under encryption: a few owners and many groups, or many owners."""

from benchmarks.encrypted import by_hand
from benchmarks.encrypted.measured import Sides, measure
from benchmarks.encrypted.rows import LARGEST, Owner, in_the_clear, owners, pooled
from benchmarks.measure import Asked, Line, line, timed
from protocols.he.bfv import Encryptor, SecretKey, Sum
from protocols.he.contribution import ciphertexts_for, contribute, totals
from protocols.he.integers import I64
from protocols.he.parameters import SUM

BINDING = "contract|plan|session"
SEAL = bytes(32)


def group_by(asked: Asked) -> Line:
    """Total and count the rows of three owners by 1000 groups."""
    return _group_by(asked, 1000)


def group_by_wide(asked: Asked) -> Line:
    """The same by 10 000 groups."""
    return _group_by(asked, 10_000)


def many_owners(asked: Asked) -> Line:
    """Total and count the rows of a hundred owners by 1000 groups, one contribution at a time."""
    return _line(asked, owners(100, asked.rows, 1000), 1000)


def _group_by(asked: Asked, n_groups: int) -> Line:
    three = owners(3, asked.rows, n_groups)
    figures = _line(asked, three, n_groups)
    frame = pooled(three)
    rows_s, total = timed(lambda: by_hand.total_of_encrypted_rows(frame), 1)
    return {
        **figures,
        "encrypted_rows_seconds": rows_s,
        "encrypted_rows_error": abs(total - int(frame["pence"].sum())),
        "times_faster_than_encrypted_rows": rows_s / figures["seconds"],
    }


def _line(asked: Asked, all_owners: list[Owner], n_groups: int) -> Line:
    frame = pooled(all_owners)
    plaintext_s, wanted = timed(lambda: in_the_clear(frame), asked.runs)
    by_hand_s, other = timed(
        lambda: by_hand.sums_by_hand(all_owners, n_groups, BINDING), asked.runs
    )
    names = [owner.name for owner in all_owners[:3]]
    runs = measure(lambda sides: query(all_owners, n_groups, sides), asked.runs, names)
    (found,) = runs.measured.results
    wanted = wanted.reindex(range(n_groups), fill_value=0).to_numpy().T.reshape(-1)
    correct = bool((found == wanted).all() and (other == wanted).all())
    figures = line(asked, runs.measured, plaintext_s, by_hand_s, correct=correct)
    return {
        **figures,
        "owners": len(all_owners),
        "groups": n_groups,
        "seconds_by_side": _by_side(runs.seconds),
        "peak_rss_growth_bytes": runs.grown_bytes,
    }


def query(all_owners: list[Owner], n_groups: int, sides: Sides) -> I64:
    """Run all sides: the key, the owners, the coordinator, the decryption."""
    reach = sum(owner.groups.size for owner in all_owners) * LARGEST
    names = [owner.name for owner in all_owners]
    key = SecretKey(SUM)
    public = key.public
    sides.end("result", len(public.data))
    sums = [Sum(SUM) for _ in range(ciphertexts_for(2 * n_groups, SUM))]
    for owner in all_owners:
        cells = owner.cells(n_groups)
        sides.end("local")
        bound = owner.name, owner.secrets, BINDING, SEAL
        sent = contribute(Encryptor(public), cells, reach, *bound)
        for total, data in zip(sums, sent, strict=True):
            sides.end(owner.name, len(data))
            total.add(data)
            sides.end("coordinator")
    results = [total.result() for total in sums]
    sides.end("coordinator", sum(map(len, results)))
    found = totals(key, results, 2 * n_groups, reach, names, BINDING, SEAL)
    sides.end("result")
    return found


def _by_side(seconds: dict[str, float]) -> dict[str, float]:
    """Return seconds of the sides, all owners in one."""
    kept = {side: s for side, s in seconds.items() if not side.startswith("owner")}
    return {**kept, "owners": sum(seconds.values()) - sum(kept.values())}
