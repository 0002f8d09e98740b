"""What this machine could do at best: AES, AND and loopback, and the limit that they set a case.

A party draws two words of AES-CTR and combines four for every word that it sends. So from the
bytes sent follow the streams and gates that cannot be avoided with these protocols.
"""

import os
import socket
import threading
import time
from dataclasses import dataclass

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from benchmarks.measure import Measured
from protocols.rounds import Party

_BLOCK = 1 << 17  # bytes, in a second-level cache
_TOTAL = 1 << 27  # bytes of work for each rate


@dataclass(frozen=True)
class Machine:
    """Bytes a second: of one core for AES-128-CTR and for AND, of one party's loopback."""

    cores: int
    aes: float
    and_words: float
    loopback: float

    def limit_seconds(self, measured: Measured, *, over_network: bool) -> float:
        """Return the time below which these protocols can't come here."""
        sent, most = sum(measured.bytes_sent), max(measured.bytes_sent)
        work = (2 * sent / self.aes + sent / self.and_words) / self.cores
        return most / self.loopback + work if over_network else work


def machine() -> Machine:
    """Measure for about a second."""
    cores = len(os.sched_getaffinity(0))
    return Machine(cores, _aes(), _and(), _loopback())


def _aes() -> float:
    encryptor = Cipher(algorithms.AES(bytes(16)), modes.CTR(bytes(16))).encryptor()
    zeros, out = bytes(_BLOCK), bytearray(_BLOCK + 15)
    started = time.perf_counter()
    for _ in range(_TOTAL // _BLOCK):
        encryptor.update_into(zeros, out)
    return _TOTAL / (time.perf_counter() - started)


def _and() -> float:
    """Time (x0 & (y0 ^ y1)) ^ (x1 & y0) on words in the cache, in bytes of the result."""
    x0, x1, y0, y1, z = (np.ones(_BLOCK // 8, dtype=np.uint64) for _ in range(5))
    started = time.perf_counter()
    for _ in range(_TOTAL // _BLOCK):
        np.bitwise_xor(y0, y1, out=z)
        z &= x0
        np.bitwise_and(x1, y0, out=y1)
        z ^= y1
    return _TOTAL / (time.perf_counter() - started)


def _loopback() -> float:
    """Send from three parties to their neighbours at once, over plain sockets."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        pairs = []
        for _ in Party:
            out = socket.create_connection(listener.getsockname())
            pairs.append((out, listener.accept()[0]))
    threads = [
        threading.Thread(target=work, args=(end,))
        for pair in pairs
        for work, end in zip((_send, _receive), pair, strict=True)
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    for pair in pairs:
        for end in pair:
            end.close()
    return _TOTAL / seconds


def _send(end: socket.socket) -> None:
    block = bytes(1 << 20)
    for _ in range(_TOTAL // len(block)):
        end.sendall(block)


def _receive(end: socket.socket) -> None:
    left, block = _TOTAL, bytearray(1 << 20)
    while left:
        left -= end.recv_into(block)
