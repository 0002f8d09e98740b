"""The filter of system calls as a program of the kernel's classic BPF.

Rule: pure. Every path ends in an answer, and the last one is "no such call".
"""

import errno
import struct
from collections.abc import Iterable

from cleanroom.flower.system_calls import Calls

_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_NUMBER, _ARCH = 0, 4
_KILL, _ERROR, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_X32 = 0x40000000

_THREAD = 0x10000
_UNIX = 1
_ACCESS_MODE_OR_TRUNCATE, _TRUNCATE = 0o1003, 0o1000
# Of descriptors: duplicate, flags, locks. Not whom to signal.
_FCNTL = (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030)
# Whether it is a terminal, its size, what can be read, close on exec, blocking.
_IOCTL = (0x5401, 0x5413, 0x541B, 0x5450, 0x5451, 0x5421)
# Names of threads and of memory.
_PRCTL = (15, 16, 0x53564D41)


def program(calls: Calls, pid: int) -> bytes:
    """Return the filter of a process, eight bytes an instruction.

    Args:
        pid: the process's own; the one that it may signal.
    """
    denied = _error(errno.EPERM)
    rules = {
        "open": _truncating(1),
        "openat": _truncating(2),
        "clone": _masked(0, _THREAD, _THREAD, _ALLOW, denied),
        "socket": _among(0, (_UNIX,), _error(errno.EACCES), _KILL),
        "fcntl": _among(1, _FCNTL, _ALLOW, denied),
        "ioctl": _among(1, _IOCTL, _ALLOW, _error(errno.ENOTTY)),
        "prctl": _among(0, _PRCTL, _ALLOW, denied),
        "prlimit64": _reading_limits(),
        "tgkill": _among(0, (pid,), _ALLOW, denied),
    }
    code = [_load(_ARCH), _jump(_EQUAL, calls.audit_arch, 1, 0), _answer(_KILL)]
    code += [_load(_NUMBER), _jump(_AT_LEAST, _X32, 0, 1), _answer(_KILL)]
    for number in calls.allowed:
        code += _on(number, [_answer(_ALLOW)])
    for name, number in calls.by_arguments.items():
        code += _on(number, rules[name])
    for number in calls.not_permitted:
        code += _on(number, [_answer(denied)])
    return b"".join([*code, _answer(_error(errno.ENOSYS))])


def _on(number: int, body: list[bytes]) -> list[bytes]:
    """Run a body, which always answers, if the call has this number."""
    return [_jump(_EQUAL, number, 0, len(body)), *body]


def _among(argument: int, values: Iterable[int], then: int, otherwise: int) -> list[bytes]:
    """Compare an argument that the kernel takes as 32 bits."""
    code = [_load(_low(argument))]
    for value in values:
        code += [_jump(_EQUAL, value, 0, 1), _answer(then)]
    return [*code, _answer(otherwise)]


def _masked(argument: int, mask: int, value: int, then: int, otherwise: int) -> list[bytes]:
    compare = _jump(_EQUAL, value, 0, 1)
    return [_load(_low(argument)), _and(mask), compare, _answer(then), _answer(otherwise)]


def _truncating(argument: int) -> list[bytes]:
    """Don't open for reading what is truncated by it: older versions of Landlock allow that."""
    refused = _error(errno.EACCES)
    return _masked(argument, _ACCESS_MODE_OR_TRUNCATE, _TRUNCATE, refused, _ALLOW)


def _reading_limits() -> list[bytes]:
    """Allow prlimit64 only without new limits: a null pointer, which has two halves."""
    denied = _answer(_error(errno.EPERM))
    both = ([_load(at), _jump(_EQUAL, 0, 1, 0), denied] for at in (_low(2), _low(2) + 4))
    return [*next(both), *next(both), _answer(_ALLOW)]


def _low(argument: int) -> int:
    """Return where an argument's lower half lies; both architectures are little-endian."""
    return 16 + 8 * argument


def _error(number: int) -> int:
    return _ERROR | number


def _load(at: int) -> bytes:
    return struct.pack("=HBBI", _LOAD, 0, 0, at)


def _and(mask: int) -> bytes:
    return struct.pack("=HBBI", _AND, 0, 0, mask)


def _jump(kind: int, value: int, if_true: int, if_false: int) -> bytes:
    return struct.pack("=HBBI", kind, if_true, if_false, value)


def _answer(value: int) -> bytes:
    return struct.pack("=HBBI", _RETURN, 0, 0, value)
