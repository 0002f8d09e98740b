"""Secrets of a session: the same at both ends, for one purpose, and for nobody else."""

import copy
import pickle

import pytest

from cleanroom.errors import PeerMisbehaved
from cleanroom.identity.exchange import SECRET_BYTES, Exchange


def test_both_ends_find_one_secret_for_each_purpose() -> None:
    a, b, c = Exchange(), Exchange(), Exchange()
    one = a.secret("b", b.public, "mask 1")
    assert one == b.secret("a", a.public, "mask 1")
    assert len(one) == SECRET_BYTES
    others = [a.secret("b", b.public, "mask 2"), a.secret("c", c.public, "mask 1")]
    assert len({one, *others}) == 3


@pytest.mark.parametrize("public", ["0" * 64, "01" + "0" * 62, "00", "zz" * 32])
def test_a_key_that_gives_no_secret_names_its_member(public: str) -> None:
    with pytest.raises(PeerMisbehaved) as caught:
        Exchange().secret("bank_b", public, "mask")
    assert caught.value.party == "bank_b"


def test_a_private_key_is_not_copied_or_shown() -> None:
    exchange = Exchange()
    for take in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError):
            take(exchange)
    assert exchange.public not in repr(exchange)
