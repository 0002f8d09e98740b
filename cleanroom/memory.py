"""How this process keeps memory between the steps of a protocol.

Vectors of some megabytes come and go in every round. The allocator would give each back to the
system and take fresh pages, cleared one by one, for the next; and each thread would hoard its own.
"""

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # names of glibc's malloc.h
_LARGEST = 32 << 20  # bytes; glibc takes no more: larger vectors are given back at once
_KEPT = 256 << 20  # bytes at the heap's end


def keep_freed_memory() -> None:
    """Let all threads reuse what any of them freed; call it before threads start.

    Without glibc nothing changes.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        for option, value in (
            (_ARENA_MAX, 1),
            (_MMAP_THRESHOLD, _LARGEST),
            (_TRIM_THRESHOLD, _KEPT),
        ):
            set_option(option, value)
