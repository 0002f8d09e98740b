"""What a restricted process can and can't do, tried out in one."""

import errno
import json
import platform
import re
import signal
import struct
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import cleanroom
from cleanroom.flower.seccomp import program
from cleanroom.flower.system_calls import Calls, calls

PACKAGE = Path(cleanroom.__file__).parent
ALLOW, KILL, ERROR = 0x7FFF0000, 0x80000000, 0x00050000

START = """
import ctypes, json, os, sys
sys.path.insert(0, {root!r})
from cleanroom.flower.lockdown import LockdownUnavailable, Resources, lock
os.chdir({work!r})
lock(Resources(2 << 30, {cpu_s}, 1 << 20), {readable!r}, [{work!r}])
def outcome(action):
    try:
        action()
        return "done"
    except (OSError, ValueError, MemoryError, LockdownUnavailable) as error:
        return type(error).__name__
libc = ctypes.CDLL(None, use_errno=True)
def call(*numbers):
    if libc.syscall(*map(ctypes.c_long, numbers)) < 0:
        raise OSError(ctypes.get_errno(), "refused")
"""
x86_64 = pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers of x86_64")


def run(work: Path, body: str, cpu_s: int = 1) -> subprocess.CompletedProcess[str]:
    paths = sysconfig.get_paths()
    readable = [paths["stdlib"], paths["purelib"], str(PACKAGE), "/usr/lib", "/lib", "/dev/urandom"]
    start = START.format(root=str(PACKAGE.parent), work=str(work), readable=readable, cpu_s=cpu_s)
    command = [sys.executable, "-IB", "-c", start + body]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


PROBES = {
    "read another file": ("open('/etc/passwd')", "PermissionError"),
    "list another folder": ("os.listdir('/')", "PermissionError"),
    "read the environment of the parent": (
        "open('/proc/%d/environ' % os.getppid())",
        "PermissionError",
    ),
    "write another file": ("open('/tmp/cleanroom-probe', 'w')", "PermissionError"),
    "truncate a readable file": (
        "os.open(os.__file__, os.O_RDONLY | os.O_TRUNC)",
        "PermissionError",
    ),
    "change rights": ("os.chmod(os.__file__, 0o777)", "PermissionError"),
    "link": ("os.symlink('/etc/passwd', 'passwd')", "PermissionError"),
    "local socket": ("__import__('socket').socket(1)", "PermissionError"),
    "fork": ("os.fork()", "PermissionError"),
    "run a program": ("os.execv('/bin/true', ['true'])", "PermissionError"),
    "start a process": ("__import__('subprocess').run(['true'])", "PermissionError"),
    "read the memory of the parent": ("open('/proc/%d/mem' % os.getppid())", "PermissionError"),
    "trace the parent": ("call(101, 16, os.getppid(), 0, 0)", "PermissionError"),
    "follow the parent's descriptors": (
        "os.readlink('/proc/%d/fd/0' % os.getppid())",
        "PermissionError",
    ),
    "read its own memory as a file": ("open('/proc/self/mem')", "PermissionError"),
    "shared memory": ("open('/dev/shm/cleanroom-probe', 'w')", "PermissionError"),
    "take a library's file": ("os.rename(os.__file__, 'stolen.py')", "PermissionError"),
    "write beside a library": ("os.mkdir(os.path.dirname(os.__file__) + '/x')", "PermissionError"),
    "a device": ("os.mknod('device', 0o60600)", "OSError"),
    "a pair of sockets": ("__import__('socket').socketpair()", "PermissionError"),
    "a namespace": ("call(56, 0x10010900, 0, 0, 0, 0)", "OSError"),
    "be traceable again": ("call(157, 4, 1, 0, 0, 0)", "PermissionError"),
    "signal another process": ("os.kill(os.getppid(), 0)", "PermissionError"),
    "have too many threads": (
        "__import__('resource').setrlimit(6, (4097, 4097))",
        "ValueError",
    ),
    "raise a limit": ("__import__('resource').setrlimit(7, (9999, 9999))", "ValueError"),
    "too large a file": ("open('large', 'wb').write(bytes(2 << 20))", "OSError"),
    "too much memory": ("bytearray(3 << 30)", "MemoryError"),
    "restrict itself again": ("lock(Resources(1, 1, 1), [], [])", "LockdownUnavailable"),
    "write and read its own file": ("(open('own', 'w').close(), open('own').read())", "done"),
    "threads": ("__import__('threading').Thread(target=print).start()", "done"),
    "use the libraries": ("__import__('numpy').linalg.svd([[1.0, 2], [3, 4]])", "done"),
}


@x86_64
def test_it_can_compute_and_use_its_folder_and_nothing_else(tmp_path: Path) -> None:
    lines = [f"found[{name!r}] = outcome(lambda: {code})" for name, (code, _) in PROBES.items()]
    body = "\n".join(["found = {}", *lines, "print('|' + json.dumps(found))"])
    done = run(tmp_path, body, cpu_s=20)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.rpartition("|")[2])
    for name, (_, expected) in PROBES.items():
        assert (name, found[name]) == (name, expected)
    assert not (tmp_path / "passwd").exists()


# mov eax, 20; int 0x80; ret: getpid by the numbers of 32 bits.
INTO_32_BITS = """
import mmap
page = mmap.mmap(-1, 4096, prot=7)
page.write(bytes.fromhex("b814000000cd80c3"))
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
"""

EVERY_OTHER_CALL = """
from cleanroom.flower.system_calls import calls
known = calls()
probes = {335, 336}  # of the kernel's own: they end whoever calls them
known = {*known.allowed, *known.by_arguments.values(), *probes}
answers = set()
for number in set(range(600)) - known:
    try:
        call(number, 0, 0, 0, 0, 0, 0)
    except OSError as error:
        answers.add(error.errno)
    else:
        answers.add(number)
print('|' + json.dumps(sorted(answers)))
"""


@x86_64
def test_every_other_call_of_the_kernel_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path, EVERY_OTHER_CALL, cpu_s=20)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.rpartition("|")[2]) == [errno.EPERM, errno.ENOSYS]


@x86_64
@pytest.mark.parametrize(
    ("body", "number"),
    [
        ("__import__('socket').socket()", signal.SIGSYS),
        ("__import__('socket').getaddrinfo('example.org', 80)", signal.SIGSYS),
        ("__import__('socket').socket(16, 3)", signal.SIGSYS),
        ("call(0x40000000 + 39)", signal.SIGSYS),
        (INTO_32_BITS, signal.SIGSYS),
        ("while True: pass", signal.SIGXCPU),
    ],
)
def test_it_is_ended_by(tmp_path: Path, body: str, number: int) -> None:
    done = run(tmp_path, body)
    assert done.returncode == -number


def decided(code: bytes, arch: int, number: int, *arguments: int) -> int:
    """Run a filter's program as the kernel does."""
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("=IIQ6Q", number, arch, 0, *padded)
    place, value = 0, 0
    while True:
        kind, if_true, if_false, operand = struct.unpack_from("=HBBI", code, 8 * place)
        place += 1
        if kind == 0x20:
            value = struct.unpack_from("=I", data, operand)[0]
        elif kind == 0x54:
            value &= operand
        elif kind == 0x06:
            return int(operand)
        else:
            assert kind in (0x15, 0x35)
            holds = value == operand if kind == 0x15 else value >= operand
            place += if_true if holds else if_false


def of(machine: str) -> Calls:
    known = calls(machine)
    assert known is not None
    return known


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_decides_by_number_and_arguments(machine: str) -> None:
    known, code = of(machine), program(of(machine), pid=77)
    number = known.by_arguments

    def answer(name: str, *arguments: int) -> int:
        return decided(code, known.audit_arch, number[name], *arguments)

    for allowed in known.allowed:
        assert decided(code, known.audit_arch, allowed, 1, 2, 3) == ALLOW
    for refused in known.not_permitted:
        assert decided(code, known.audit_arch, refused) == ERROR | errno.EPERM
    assert answer("clone", 0x3D0F00) == ALLOW  # a thread
    assert answer("clone", 0x1200011) == ERROR | errno.EPERM  # fork
    assert [answer("socket", family) for family in (2, 10, 16, 17)] == [KILL] * 4
    assert answer("socket", 1) == ERROR | errno.EACCES
    assert (answer("tgkill", 77), answer("tgkill", 78)) == (ALLOW, ERROR | errno.EPERM)
    assert (answer("prlimit64", 0, 7, 0), answer("prlimit64", 0, 7, 1 << 40)) == (
        ALLOW,
        ERROR | errno.EPERM,
    )
    assert answer("openat", 0, 0, 0o1000) == ERROR | errno.EACCES
    assert answer("openat", 0, 0, 0o1001) == answer("openat", 0, 0, 0o2000000) == ALLOW
    assert answer("fcntl", 3, 8, 1) == answer("prctl", 38, 1) == ERROR | errno.EPERM
    assert answer("ioctl", 0, 0x5412) == ERROR | errno.ENOTTY
    assert decided(code, known.audit_arch, 425) == ERROR | errno.ENOSYS  # io_uring_setup
    assert decided(code, known.audit_arch, 435) == ERROR | errno.ENOSYS  # clone3
    assert decided(code, 0x40000003, known.allowed[0]) == KILL  # 32-bit calls
    assert decided(code, known.audit_arch, 0x40000000) == KILL


def test_architectures_without_a_table_have_none() -> None:
    assert calls("riscv64") is None


HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}


@pytest.mark.parametrize("machine", HEADERS)
def test_numbers_are_those_of_the_kernel(machine: str) -> None:
    header = HEADERS[machine]
    if not header.exists() or platform.machine() != "x86_64":
        pytest.skip("without the kernel's headers")
    text = header.read_text()
    number = {n: int(k) for n, k in re.findall(r"#define __NR(?:3264)?_(\w+) +(\d+)\n", text)}
    known = of(machine)
    assert {n: number[n] for n in known.by_arguments} == known.by_arguments
    assert set(known.allowed) | set(known.not_permitted) <= set(number.values())
    for dangerous in ("mount", "bpf", "ptrace", "keyctl", "io_uring_setup", "connect", "bind",
                      "sendto", "memfd_create", "setns", "unshare", "userfaultfd", "pidfd_open",
                      "perf_event_open", "openat2", "open_by_handle_at", "shmget"):  # fmt: skip
        assert number[dangerous] not in known.allowed
