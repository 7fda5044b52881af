"""``course.py lab``: fill work/, fetch the data, compile what is compiled, open JupyterLab on the start page."""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from rec_lib.cli import workcopy
from rec_lib.paths import home, root

START = "00_start_here.ipynb"
COMPILED = ("rec_lib.embeddings", "rec_lib.retrieval")  # packages that may have a warm_up()
QUIET = {"apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False}}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="course.py lab", description=__doc__)
    parser.add_argument("--no-browser", action="store_true", help="print the address instead of opening a browser")
    parser.add_argument("--port", type=int, default=8888, help="first port to try (default 8888)")
    options = parser.parse_args(argv)
    if not 1 <= options.port <= 65535:
        parser.error(f"--port {options.port}: expected 1 to 65535")
    fill_work()
    fetch_data()
    warm_up()
    return open_lab(free_port(options.port), browser=not options.no_browser and has_display())


def fill_work() -> None:
    report = workcopy.fill(root() / "chapters", root() / "work", home() / "work.json")
    print(f"Your notebooks are in {root() / 'work'}; the originals stay in chapters/.")
    if report.new:
        print(f"  new: {', '.join(report.new) if len(report.new) < 4 else f'{len(report.new)} files'}")
    for name in report.refreshed:
        print(f"  refreshed (you had not changed it): {name}")
    for name in report.kept:
        news = f"; the original has changed since: course.py reset {name}" if name in report.outdated else ""
        print(f"  kept as you left it: {name}{news}")


def fetch_data() -> None:
    """MovieLens-100K, its knowledge graph and the King James text into the cache; where that fails the course opens all the same."""
    from rec_lib.data import (
        knowledge,
        movielens,
        text,
    )  # here: pandas takes a second, and the words above should come first

    wanted: dict[str, Callable[[], object]] = {
        "MovieLens-100K": movielens.load,
        "the films' knowledge graph": knowledge.knowledge,
        "the King James text": text.king_james,
    }
    for name, load in wanted.items():
        print(f"Looking for {name} …", flush=True)
        try:
            load()
            print("  it is here.")
        except (OSError, ValueError) as error:
            print(f"  {error}\nThe course opens without it: cells that need it will say so, those on planted data run.")


def warm_up() -> None:
    """Compile the numba functions now, once per version of their source, so that no learner waits for it later."""
    sources = [path for name in COMPILED for path in sorted((root() / name.replace(".", "/")).glob("*.py"))]
    key = hashlib.sha256(b"".join([sys.version.encode(), *(path.read_bytes() for path in sources)])).hexdigest()
    stamp = home() / "compiled.txt"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == key:
        return
    print("Compiling the random walks and searches (once, some ten seconds) …", flush=True)
    for name in COMPILED:
        getattr(importlib.import_module(name), "warm_up", lambda: None)()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(key, encoding="utf-8")


def free_port(first: int, tries: int = 50) -> int:
    """The first port from ``first`` on that nobody on this machine listens on."""
    for port in range(first, min(first + tries, 65536)):
        with socket.socket() as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port just left counts as free
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port != first:
            print(f"Port {first} is in use; taking {port}.")
        return port
    raise SystemExit(f"Ports {first} to {first + tries - 1} are all in use. Give another: course.py lab --port N")


def has_display() -> bool:
    """Whether a browser can show up here: always on macOS, Windows and WSL, on other systems with a display."""
    if sys.platform in ("darwin", "win32") or "WSL_DISTRO_NAME" in os.environ:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def isolate(folder: Path) -> None:
    """Give the course's JupyterLab settings of its own, so that neither the learner's nor ours change the other's."""
    for name, values in QUIET.items():
        file = folder / "lab" / "user-settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(values), encoding="utf-8")
    os.environ["JUPYTER_CONFIG_DIR"] = str(folder)


def open_lab(port: int, browser: bool) -> int:
    """Run JupyterLab in this process until the learner stops it."""
    isolate(home() / "jupyter")
    os.environ["JUPYTER_TOKEN"] = token = secrets.token_hex(24)  # not as an argument, which other users could read
    arguments = ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", f"--ServerApp.root_dir={root() / 'work'}"]
    arguments += [
        f"--LabApp.default_url=/lab/tree/{START}",
        "--ServerApp.answer_yes=True",
        "--log-level=WARN",
        "--LabApp.log_level=WARN",
    ]
    if not browser:
        arguments.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--allow-root")
        print("You are root (as in a container): JupyterLab is told that this is meant (--allow-root).")
    print("Starting JupyterLab. Stop it with Ctrl+C in this window; your notebooks save themselves.", flush=True)
    from jupyterlab.labapp import LabApp

    threading.Thread(target=announce, args=(token, browser), daemon=True).start()
    LabApp.launch_instance(arguments)
    return 0


def announce(token: str, browser: bool, seconds: float = 60) -> None:
    """Print the address once the server with this token listens (it may have moved to another port)."""
    from jupyter_server.serverapp import list_running_servers

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for server in list_running_servers():
            if server["token"] == token:
                address = f"{server['url']}lab/tree/{START}?token={token}"
                lead = "JupyterLab opens in your browser. If it does not" if browser else "Open this in a browser"
                print(f"\n{lead}:\n\n    {address}\n", flush=True)
                return
        time.sleep(0.2)
