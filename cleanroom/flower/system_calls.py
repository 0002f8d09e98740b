"""Which system calls a sandboxed process may make, and their numbers on each architecture.

Rule: whatever isn't named here answers "no such call". Nothing here gives access to the network,
to other processes, to rights, owners and modes of files, or to new kinds of descriptors; which
files may be opened is Landlock's part.
"""

import platform
from dataclasses import dataclass

# Name=x86_64/aarch64, `-` where an architecture doesn't have it; from Linux's unistd headers.
_FILES = """
read=0/63 write=1/64 readv=19/65 writev=20/66 pread64=17/67 pwrite64=18/68 lseek=8/62
close=3/57 close_range=436/436 fsync=74/82 fdatasync=75/83 ftruncate=77/46 fallocate=285/47
fadvise64=221/223 copy_file_range=326/285 sendfile=40/71 stat=4/- lstat=6/- fstat=5/80
newfstatat=262/79 statx=332/291 statfs=137/43 fstatfs=138/44 access=21/- faccessat=269/48
faccessat2=439/439 readlink=89/- readlinkat=267/78 getdents64=217/61 getcwd=79/17
chdir=80/49 fchdir=81/50 umask=95/166 mkdir=83/- mkdirat=258/34 rmdir=84/- unlink=87/-
unlinkat=263/35 rename=82/- renameat=264/38 renameat2=316/276 flock=73/32
dup=32/23 dup2=33/- dup3=292/24 pipe=22/- pipe2=293/59 poll=7/- ppoll=271/73 select=23/-
pselect6=270/72 epoll_create1=291/20 epoll_ctl=233/21 epoll_wait=232/- epoll_pwait=281/22
eventfd2=290/19
"""
_MEMORY_AND_THREADS = """
mmap=9/222 munmap=11/215 mremap=25/216 mprotect=10/226 madvise=28/233 msync=26/227
mincore=27/232 brk=12/214 mlock=149/228 munlock=150/229 get_mempolicy=239/236
membarrier=324/283 futex=202/98 set_robust_list=273/99 get_robust_list=274/100 rseq=334/293
set_tid_address=218/96 sched_yield=24/124 sched_getaffinity=204/123 sched_getparam=143/121
sched_getscheduler=145/120 sched_get_priority_max=146/125 sched_get_priority_min=147/126
getcpu=309/168 getpriority=140/141 exit=60/93 exit_group=231/94 arch_prctl=158/-
"""
_ITSELF_AND_TIME = """
gettid=186/178 getpid=39/172 getppid=110/173 getuid=102/174 geteuid=107/175 getgid=104/176
getegid=108/177 getpgrp=111/- getpgid=121/155 getsid=124/156 getresuid=118/148
getresgid=120/150 getgroups=115/158 getrlimit=97/163 getrusage=98/165 times=100/153
rt_sigaction=13/134 rt_sigprocmask=14/135 rt_sigreturn=15/139 rt_sigpending=127/136
rt_sigsuspend=130/133 rt_sigtimedwait=128/137 sigaltstack=131/132 restart_syscall=219/128
getitimer=36/102 setitimer=38/103 alarm=37/- pause=34/- nanosleep=35/101
clock_nanosleep=230/115 clock_gettime=228/113 clock_getres=229/114 gettimeofday=96/169
time=201/- uname=63/160 sysinfo=99/179 getrandom=318/278
"""
# Allowed or not by their arguments: see `lockdown`.
_BY_ARGUMENTS = """
open=2/- openat=257/56 clone=56/220 socket=41/198 fcntl=72/25 ioctl=16/29 prctl=157/167
prlimit64=302/261 tgkill=234/131
"""
# "Not permitted" tells an app more than "no such call", which would be the answer anyway.
_NOT_PERMITTED = """
fork=57/- vfork=58/- execve=59/221 execveat=322/281 kill=62/129 tkill=200/130 ptrace=101/117
chmod=90/- fchmod=91/52 fchmodat=268/53 chown=92/- fchown=93/55 lchown=94/- fchownat=260/54
symlink=88/- symlinkat=266/36 link=86/- linkat=265/37 truncate=76/45 setrlimit=160/164
socketpair=53/199 process_vm_readv=310/270 process_vm_writev=311/271
"""
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


@dataclass(frozen=True, slots=True)
class Calls:
    """The numbers of this architecture.

    Attributes:
        audit_arch: how the kernel names it to filters.
        by_arguments: by name; without those that the architecture doesn't have.
    """

    audit_arch: int
    allowed: tuple[int, ...]
    by_arguments: dict[str, int]
    not_permitted: tuple[int, ...]


def calls(machine: str | None = None) -> Calls | None:
    """Return the numbers of an architecture, by default this machine's; None for others."""
    place, audit_arch = _MACHINES.get(machine or platform.machine(), (None, 0))
    if place is None:
        return None
    allowed = _numbers(_FILES + _MEMORY_AND_THREADS + _ITSELF_AND_TIME, place)
    return Calls(
        audit_arch,
        tuple(allowed.values()),
        _numbers(_BY_ARGUMENTS, place),
        tuple(_numbers(_NOT_PERMITTED, place).values()),
    )


def _numbers(text: str, place: int) -> dict[str, int]:
    pairs = (item.split("=") for item in text.split())
    numbers = {name: both.split("/")[place] for name, both in pairs}
    return {name: int(number) for name, number in numbers.items() if number != "-"}
