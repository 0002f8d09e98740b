"""What two contributors have in common: a secret, who of them is first, a name for the pair."""

from collections.abc import Iterator, Mapping

from protocols.randomness import KEY_BYTES


def pairs(me: str, secrets: Mapping[str, bytes], purpose: str) -> Iterator[tuple[bytes, str, bool]]:
    """Yield, for each other contributor, the pair's secret, its own purpose, and "am I first?".

    Both of a pair name the same purpose, and exactly one of them is first: if the first adds what
    a stream under the secret holds and the second subtracts it, it cancels in the sum.

    Args:
        secrets: other contributor -> the 32 bytes that the two alone share.

    Raises:
        ValueError: if a secret has another length, or one is shared with itself.
    """
    if me in secrets or any(len(secret) != KEY_BYTES for secret in secrets.values()):
        raise ValueError(f"pairwise secrets have {KEY_BYTES} bytes and two holders")
    for other, secret in secrets.items():
        first, second = sorted((me, other))
        yield secret, f"{purpose}|{len(first)}|{first}|{second}", me == first
