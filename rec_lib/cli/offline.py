"""Run a command on a machine without a network: a Linux network namespace that has nothing but the loopback device.

python -m rec_lib.cli.offline COMMAND …       (what prefix() puts before a command runs this inside the namespace)
"""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import sys

SIOCSIFFLAGS, IFF_UP, IFF_RUNNING = 0x8914, 0x1, 0x40  # linux/sockios.h, linux/if.h


def prefix() -> list[str] | None:
    """Words to put before a command so that it runs without a network; None where the system cannot do that."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return None
    enter = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    if subprocess.run([*enter, "true"], capture_output=True).returncode:
        return None
    return [*enter, sys.executable, "-m", "rec_lib.cli.offline"]


def main(argv: list[str]) -> int:
    import fcntl  # not on Windows, where prefix() says None

    with socket.socket() as any_socket:  # kernels and browsers talk over 127.0.0.1, which is down in a new namespace
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP | IFF_RUNNING))
    return subprocess.run(argv, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
