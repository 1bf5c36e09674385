"""Walls: what a process takes away from itself before it runs code of others; nothing here can be undone by it.

Three layers by the kernel: limits on what it uses, Landlock on which files it sees, seccomp on what it may ask for.
Whatever the two lists of system calls do not name is refused.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Sequence

try:
    import resource
except ImportError:  # Windows has none; the time on the clock still holds
    resource = None  # type: ignore[assignment]  # a module or nothing

CALLS = """
read readv pread64 preadv write writev pwrite64 pwritev lseek close close_range fsync fdatasync ftruncate
open openat openat2 stat fstat lstat newfstatat statx access faccessat faccessat2 readlink readlinkat getcwd
getdents getdents64 dup dup2 dup3 pipe pipe2 poll ppoll select pselect6 epoll_create1 epoll_ctl epoll_wait epoll_pwait
eventfd2 fcntl flock mmap munmap mprotect mremap madvise brk membarrier
mkdir mkdirat unlink unlinkat rmdir rename renameat renameat2
rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack futex set_robust_list get_robust_list rseq restart_syscall
clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time times getrandom sched_yield sched_getaffinity
getpid gettid getppid getuid geteuid getgid getegid getgroups getpgrp getsid uname sysinfo getrusage getrlimit
getcpu arch_prctl set_tid_address exit exit_group
""".split()
"""What Python and libraries for texts and numbers ask of the kernel. No sockets, processes, signals, modes, mounts."""
ABSENT = ("clone3", "io_uring_setup", "memfd_create", "statfs", "fstatfs")
"""Answered as by an old kernel, so that libraries take the older way instead of failing."""
FILES = 64


def ready() -> None:
    """Load what puts up the walls while programs can still be asked where libraries are (ImportError, RuntimeError)."""
    import pyseccomp  # noqa: F401

    with contextlib.suppress(ImportError):
        import landlock  # noqa: F401


def limits(memory: int, cpu: int, file: int) -> None:
    """``memory`` bytes, ``cpu`` seconds, files of at most ``file`` bytes, no core, no further processes."""
    if resource is None:
        return
    wanted = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: cpu,
        resource.RLIMIT_FSIZE: file,
        resource.RLIMIT_NOFILE: FILES,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NPROC: 0,  # means nothing for root; seccomp refuses further processes to everybody
    }
    for kind, value in wanted.items():
        with contextlib.suppress(ValueError, OSError):  # a lower one is set already
            resource.setrlimit(kind, (value, value))


def files(read: Sequence[str], write: str = "") -> None:
    """From now on only what is below ``read`` can be read, and only ``write`` written (OSError when not possible)."""
    from landlock import FSAccess, Ruleset

    rules = Ruleset()
    for path in read:
        kinds = FSAccess.READ_FILE | FSAccess.READ_DIR if os.path.isdir(path) else FSAccess.READ_FILE
        with contextlib.suppress(FileNotFoundError):
            rules.allow(path, rules=kinds)
    if write:
        rules.allow(write, rules=rules.restrict_rules & ~(FSAccess.EXECUTE | FSAccess.MAKE_SOCK | FSAccess.MAKE_CHAR))
    rules.apply()


def calls() -> None:
    """From now on only the calls of ``CALLS`` reach the kernel; no new rights come from any program it could start."""
    import pyseccomp as seccomp

    wall = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
    for name in CALLS:
        _allow(wall, seccomp, name)
    for name in ABSENT:
        _allow(wall, seccomp, name, seccomp.ERRNO(errno.ENOSYS))
    only_asking = seccomp.Arg(2, seccomp.EQ, 0)
    _allow(wall, seccomp, "prlimit64", seccomp.ALLOW, seccomp.Arg(0, seccomp.EQ, 0), only_asking)
    for request in (0x5401, 0x5413, 0x5451, 0x5450, 0x541B):  # is it a terminal, how wide, (not) inherited, how much
        _allow(wall, seccomp, "ioctl", seccomp.ALLOW, seccomp.Arg(1, seccomp.EQ, request))
    wall.load()


def _allow(wall: object, seccomp: object, name: str, action: int | None = None, *arguments: object) -> None:
    """One rule, where this processor knows the call."""
    number = seccomp.resolve_syscall(seccomp.Arch.NATIVE, name)  # type: ignore[attr-defined]  # the module, imported late
    if number != -1:
        wall.add_rule(seccomp.ALLOW if action is None else action, number, *arguments)  # type: ignore[attr-defined]  # a filter
