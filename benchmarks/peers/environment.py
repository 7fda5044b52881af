"""The peers' Python: an environment of its own, .course/peers, because they need an older numpy than the course."""

import hashlib
import os
import subprocess
import venv
from pathlib import Path

from rec_lib.paths import home

WANTED = Path(__file__).parent.parent / "requirements-peers.txt"


def environment() -> Path:
    """Its interpreter. Installed once for each version of the requirements."""
    folder = home() / "peers"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp, content = folder / "installed", hashlib.sha256(WANTED.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != content:
        print(f"installing the peers into {folder.name} …", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", "--no-deps", "-r", str(WANTED)], check=True)
        stamp.write_text(content)
    return python
