"""The peers' Python: an environment of its own, .course/peers, because they need an older numpy than the course."""

import hashlib
import os
import re
import subprocess
import venv
from pathlib import Path

from rec_lib.paths import home

WANTED = Path(__file__).parent.parent / "requirements-peers.txt"


def environment() -> Path:
    """Its interpreter. Installed once for each version of the requirements.

    A library that cannot be installed is named and the others are installed without it; the next run tries again.
    """
    folder = home() / "peers"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp, content = folder / "installed", hashlib.sha256(WANTED.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != content:
        print(f"installing the peers into {folder.name} …", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        lines = WANTED.read_text(encoding="utf-8").splitlines()
        wanted = [line for line in lines if line and not line.startswith("#")]
        torch = next(line for line in wanted if line.startswith("torch=="))
        installed(python, torch)  # with what its wheel needs on this system, which the list cannot know
        if not installed(python, "--no-deps", "-r", str(WANTED)):
            missing = [line for line in wanted if not installed(python, "--no-deps", line)]
            print(f"could not be installed: {', '.join(missing)}", flush=True)
            return python
        stamp.write_text(content)
    return python


def versions(*packages: str) -> dict[str, str]:
    """{package: version} of these, as WANTED names them."""
    wanted = dict(re.findall(r"^([\w-]+)==(\S+)$", WANTED.read_text(encoding="utf-8"), flags=re.M))
    return {package: wanted[package] for package in packages}


def installed(python: Path, *what: str) -> bool:
    return subprocess.run([str(python), "-m", "pip", "install", "-q", *what], check=False).returncode == 0
