"""Transport `memory`: three threads of this process, round by round; vectors are not copied."""

import secrets
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.case import Case
from benchmarks.measure import Measured, peak_memory_bytes, reset_peak_memory
from protocols.context import Context
from protocols.rounds import Inbox, Party, Round, Steps
from protocols.simulate import contexts


def measure(case: Case, runs: int) -> Measured:
    """Run the case after one run that isn't counted."""
    with ThreadPoolExecutor(3) as threads:
        _Run(case, threads).to_end()
        reset_peak_memory()
        cpu = time.process_time()
        seconds = []
        for _ in range(runs):
            run = _Run(case, threads)
            started = time.perf_counter()
            run.to_end()
            seconds.append(time.perf_counter() - started)
        cpu = (time.process_time() - cpu) / runs
    first, second, third = (run.bytes_sent[party] for party in Party)
    sent = (first, second, third)
    peak = peak_memory_bytes()
    return Measured(tuple(seconds), cpu, sent, run.rounds, peak, peak, run.results)


class _Run:
    """Three generators, and what an observer counts."""

    def __init__(self, case: Case, threads: ThreadPoolExecutor) -> None:
        three: Sequence[Context] = contexts(secrets.token_bytes(16))
        self._steps: list[Steps[Any]] = [case.step(ctx, case.inputs[ctx.me]) for ctx in three]
        self._threads = threads
        self.results: list[Any] = [None, None, None]
        self.bytes_sent = dict.fromkeys(Party, 0)
        self.rounds = 0

    def to_end(self) -> None:
        live = self._all(dict.fromkeys(Party))
        while live:
            self.rounds += 1
            for party, round_ in live.items():
                self.bytes_sent[party] += sum(v.nbytes for v in round_.send.values())
            live = self._all({party: _inbox(party, live) for party in live})

    def _all(self, inboxes: Mapping[Party, Inbox | None]) -> dict[Party, Round]:
        going = [self._threads.submit(self._resume, p, inbox) for p, inbox in inboxes.items()]
        rounds = [future.result() for future in going]
        return {p: r for p, r in zip(inboxes, rounds, strict=True) if r is not None}

    def _resume(self, party: Party, inbox: Inbox | None) -> Round | None:
        steps = self._steps[party]
        try:
            return next(steps) if inbox is None else steps.send(inbox)
        except StopIteration as done:
            self.results[party] = done.value
            return None


def _inbox(me: Party, live: Mapping[Party, Round]) -> Inbox:
    return {(sender, gate): live[sender].send[me, gate] for sender, gate in live[me].await_from}
