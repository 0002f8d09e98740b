"""Agreeing on a session's pairwise keys, and on what the session is about."""

import hashlib

import numpy as np
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from protocols.randomness import KEY_BYTES, Prss
from protocols.rounds import U64, Gate, Party, PeerMisbehaved, Round, Steps, expect

SEED_GATE = Gate("setup/seed")
BINDING_GATE = Gate("setup/binding")
INFO = b"cleanroom rep3 prss v1"


def agree(me: Party, own_seed: bytes, binding: bytes) -> Steps[Prss]:
    """Exchange seeds, compare the binding, and derive this session's keys.

    Args:
        own_seed: 32 bytes, fresh from the operating system for this session alone.
        binding: what must be equal at all three: contract, session, plan, sizes of inputs.

    Raises:
        ValueError: if the seed isn't 32 bytes.
        PeerMisbehaved: if a neighbour's binding differs; it is the suspect.

    Cost: 1 round; each party sends 96 bytes.
    Security: channels must be private and authenticated. A party that sends a wrong seed
        makes the results wrong, not known.
    """
    if len(own_seed) != KEY_BYTES:
        raise ValueError(f"a seed has {KEY_BYTES} bytes")
    digest = _words(hashlib.sha256(binding).digest())
    send = {
        (me.prev, SEED_GATE): _words(own_seed),
        (me.prev, BINDING_GATE): digest,
        (me.next, BINDING_GATE): digest,
    }
    seed = (me.next, SEED_GATE)
    bindings = [(peer, BINDING_GATE) for peer in (me.prev, me.next)]
    inbox = yield Round(send, frozenset({seed, *bindings}))
    for slot in bindings:
        if not np.array_equal(expect(inbox, slot, digest.size), digest):
            what = "contract, plan, session or sizes of inputs differ"
            raise PeerMisbehaved(frozenset({slot[0]}), BINDING_GATE, what)
    next_seed = expect(inbox, seed, KEY_BYTES // 8).tobytes()
    return Prss(_derive(own_seed, binding), _derive(next_seed, binding))


def _derive(seed: bytes, binding: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=INFO + binding).derive(seed)


def _words(digest: bytes) -> U64:
    return np.frombuffer(digest, dtype=np.uint64)
