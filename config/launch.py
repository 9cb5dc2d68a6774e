"""Becomes another program, after giving up rights it must not have and tying its life to its parent's.

config/processes.py runs this file as `python -I -S launch.py PARENT SIGNAL ACCOUNT PROGRAM [ARGUMENT...]`. It is a
process of its own because none of this is safe between the fork and the exec of a program that has threads.
"""

import ctypes
import os
import pwd
import sys

# Accounts: the caller's own, the caller's own behind a user namespace, or the number of another one.
SAME = "same"
NAMESPACE = "namespace"

_CLONE_NEWUSER = 0x10000000  # <sched.h>
_PR_SET_PDEATHSIG = 1  # <sys/prctl.h>
_UID_INSIDE = 1000  # any number but root's: PostgreSQL refuses to run as 0
_CANNOT_EXECUTE = 126  # the shell's exit codes
_NOT_FOUND = 127


def main(parent: int, death_signal: int, account: str, argv: list[str]) -> None:
    """Become `argv`, which is sent `death_signal` when the process `parent` dies (Linux only)."""
    if account == NAMESPACE:
        enter_namespace()
    elif account != SAME:
        become(int(account))
    # Only now: the kernel forgets the wish whenever a process changes its rights.
    if sys.platform == "linux":
        _libc(ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0))
    if os.getppid() != parent:
        sys.exit("The process that asked for this one is gone.")
    os.execv(argv[0], argv)


def enter_namespace() -> None:
    """Leave root's rights behind: outside, files and processes stay the caller's; inside, it is an ordinary user."""
    uid, gid = os.geteuid(), os.getegid()
    _libc(ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWUSER))
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{_UID_INSIDE} {uid} 1")
    _write("/proc/self/gid_map", f"{_UID_INSIDE} {gid} 1")


def become(uid: int) -> None:
    """Continue as another user, in that user's own group only."""
    os.setgroups([])
    os.setgid(pwd.getpwuid(uid).pw_gid)
    os.setuid(uid)


def _libc(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


if __name__ == "__main__":
    program = sys.argv[4]
    try:
        main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
    except FileNotFoundError as error:
        print(f"{program}: {error.strerror}", file=sys.stderr)
        sys.exit(_NOT_FOUND)
    except (OSError, KeyError) as error:
        print(f"{program}: {error}", file=sys.stderr)
        sys.exit(_CANNOT_EXECUTE)
