"""A process gives up what it may do, for good: files, network, other processes, resources.

Rule: standard library only; called before anything else is imported, while there is one thread,
since a restriction holds for the thread that asks for it and for those that it starts. What the
kernel can't enforce is an error: nothing here is best effort, but for what comes on top of it.
"""

import ctypes
import os
import resource
import stat
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from cleanroom.flower.seccomp import program
from cleanroom.flower.system_calls import calls

_LIBC = ctypes.CDLL(None, use_errno=True)
_NOTHING = (ctypes.c_ulong(0),) * 3
_SET_NO_NEW_PRIVS, _SET_DUMPABLE, _SET_SECCOMP, _CAPBSET_DROP = 38, 4, 22, 24
_FILTER = 2
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_PATH_BENEATH, _VERSION = 1, 1
_CAPABILITIES_V3 = 0x20080522

# Landlock's rights to files, by bit; each version of the kernel knows some more.
_WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 1, 1 << 2, 1 << 3
_REMOVE_DIR, _REMOVE_FILE = 1 << 4, 1 << 5
_MAKE_DIR, _MAKE_REG, _REFER, _TRUNCATE = 1 << 7, 1 << 8, 1 << 13, 1 << 14
_KNOWN = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_READ = _READ_FILE | _READ_DIR
_WRITE = _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _REFER | _TRUNCATE
_OF_FILES = _WRITE_FILE | _READ_FILE | _TRUNCATE
_TCP = 3  # bind and connect, from version 4
_SCOPES = 3  # abstract unix sockets and signals, from version 6


PARTS = {
    "machine": "system calls are known of x86_64 and aarch64 alone",
    "threads": "a process of more than one thread can't restrict itself as a whole",
    "prctl": "it can't give up that its privileges grow",
    "capabilities": "it can't give up capabilities",
    "limits": "it can't limit its resources",
    "landlock": "Landlock can't be had",
    "seccomp": "seccomp can't be had",
}


class LockdownUnavailable(Exception):
    """This kernel, architecture or container can't restrict a process; says which of `PARTS`."""


@dataclass(frozen=True, slots=True)
class Resources:
    """Limits of the whole process, from its start to its end.

    Attributes:
        memory_bytes: of address space, libraries included.
        cpu_s: of all threads together.
        file_bytes: of each file that it writes.
        threads: of all processes of this user together; the kernel doesn't hold root to it.
    """

    memory_bytes: int
    cpu_s: int
    file_bytes: int
    open_files: int = 256
    threads: int = 4096


def lock(resources: Resources, readable: Sequence[str], writable: Sequence[str]) -> None:
    """Restrict this process for the rest of its life.

    Args:
        readable: files and folders with all below them; those that don't exist are skipped.
        writable: the same, to read, write, make and remove files.

    Raises:
        LockdownUnavailable: if a part can't be had; the process must then not go on.
    """
    known = calls()
    if known is None:
        raise LockdownUnavailable("machine")
    try:
        if len(os.listdir("/proc/self/task")) != 1:
            raise LockdownUnavailable("threads")
        os.umask(0o077)
        _limit(resources)
        _prctl(_SET_DUMPABLE, ctypes.c_ulong(0))
        _prctl(_SET_NO_NEW_PRIVS, ctypes.c_ulong(1))
        _drop_capabilities()
        _restrict_files(readable, writable)
        _filter_calls(program(known, os.getpid()))
    except (OSError, ValueError):
        raise LockdownUnavailable("limits") from None


def _limit(resources: Resources) -> None:
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, resources.memory_bytes),
        (resource.RLIMIT_FSIZE, resources.file_bytes),
        (resource.RLIMIT_NOFILE, resources.open_files),
        (resource.RLIMIT_NPROC, resources.threads),
    ):
        _set_limit(kind, most)
    _set_limit(resource.RLIMIT_CPU, resources.cpu_s, grace=1)


def _set_limit(kind: int, most: int, grace: int = 0) -> None:
    """Set a limit that can't be raised; `grace` is between the warning signal and the end."""
    _, ceiling = resource.getrlimit(kind)
    hard = most + grace
    if ceiling != resource.RLIM_INFINITY:
        hard = min(hard, ceiling)
    resource.setrlimit(kind, (min(most, hard), hard))


def _prctl(option: int, value: object) -> None:
    if _LIBC.prctl(option, value, *_NOTHING):
        raise LockdownUnavailable("prctl")


def _drop_capabilities() -> None:
    """Give up root's privileges, where the process has any."""
    for capability in range(64):
        if _LIBC.prctl(_CAPBSET_DROP, ctypes.c_ulong(capability), *_NOTHING):
            break  # beyond the last one, or without the right to, and then there are none
    header = struct.pack("=Ii", _CAPABILITIES_V3, 0)
    if _LIBC.capset(header, bytes(24)):
        raise LockdownUnavailable("capabilities")


def _restrict_files(readable: Sequence[str], writable: Sequence[str]) -> None:
    version = _LIBC.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)
    if version < 1:
        raise LockdownUnavailable("landlock")
    handled = _KNOWN[max(known for known in _KNOWN if known <= version)]
    attributes = struct.pack("=Q", handled)
    attributes += struct.pack("=Q", _TCP) if version >= 4 else b""
    attributes += struct.pack("=Q", _SCOPES) if version >= 6 else b""
    size = ctypes.c_size_t(len(attributes))
    ruleset = _LIBC.syscall(_CREATE_RULESET, attributes, size, 0)
    if ruleset < 0:
        raise LockdownUnavailable("landlock")
    for path in readable:
        _allow(ruleset, path, _READ & handled)
    for path in writable:
        _allow(ruleset, path, (_READ | _WRITE) & handled)
    if _LIBC.syscall(_RESTRICT_SELF, ruleset, 0):
        raise LockdownUnavailable("landlock")
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        found = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(os.fstat(found).st_mode):
        rights &= _OF_FILES
    rule = struct.pack("=Qi", rights, found)
    if _LIBC.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0):
        raise LockdownUnavailable("landlock")
    os.close(found)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def _filter_calls(code: bytes) -> None:
    filtered = _Program(len(code) // 8, code)
    if _LIBC.prctl(_SET_SECCOMP, ctypes.c_ulong(_FILTER), ctypes.byref(filtered), *_NOTHING[:2]):
        raise LockdownUnavailable("seccomp")
