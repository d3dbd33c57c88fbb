"""Processes of ours: started so that they end with us, ended politely and then for certain."""

import contextlib
import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

PR_SET_PDEATHSIG = 1  # prctl(2)
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None  # loaded before any fork


def end_with_parent(signal_number: int) -> Callable[[], None]:
    """Give a `preexec_fn` that has the kernel send the signal when we die, however we die (Linux only).

    The kernel counts the death of the *thread* that started the child: start children from the main thread.
    """
    parent = os.getpid()

    def ask_the_kernel() -> None:
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
            if os.getppid() != parent:  # we died between fork and prctl
                os._exit(1)

    return ask_the_kernel


def stop(process: subprocess.Popen[bytes], signal_number: int, *, grace_s: float) -> None:
    """Send the signal, wait that long, then kill the process and whatever it started in its session."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal_number)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(max(grace_s, 0.1))
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def stop_leftovers(folder: Path, programs: tuple[str, ...], signal_number: int, *, grace_s: float = 20) -> None:
    """End servers of an earlier run that still work in this folder (ours was killed, they were not).

    They are known by their program's name and their working folder, so a stale pid file cannot hit anyone else.
    """
    found = [process for process in psutil.process_iter() if _works_in(process, folder, programs)]
    ids = {process.pid for process in found}
    for process in found:
        with contextlib.suppress(psutil.Error):
            if process.ppid() not in ids:  # PostgreSQL's own children are ended by it
                process.send_signal(signal_number)
    for process in psutil.wait_procs(found, timeout=grace_s)[1]:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(found, timeout=5)


def _works_in(process: psutil.Process, folder: Path, programs: tuple[str, ...]) -> bool:
    try:
        return process.name().startswith(programs) and Path(process.cwd()) == folder.resolve()
    except (psutil.Error, OSError):
        return False


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: closed connections don't count
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Find a port below those the system lends to outgoing connections, so that it can be had again later."""
    while True:
        port = random.randrange(10_000, 20_000)  # noqa: S311
        if is_free(port):
            return port


def wait_until(
    ready: Callable[[], bool],
    *,
    process: subprocess.Popen[bytes],
    within_s: float,
    cancelled: Callable[[], bool],
) -> bool:
    """Wait until the check holds; False when the time is over, the process has ended or nobody waits any more."""
    end = time.monotonic() + within_s
    while time.monotonic() < end and process.poll() is None and not cancelled():
        if ready():
            return True
        time.sleep(0.05)
    return False
