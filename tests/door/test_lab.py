"""`course.py lab`: ports, displays, missing data, and the real JupyterLab once."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from rec_lib.cli import lab
from rec_lib.data import knowledge, movielens, text


@pytest.fixture
def busy():
    """A port that somebody listens on."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_busy_port_moves_on(busy, capsys):
    assert lab.free_port(busy) > busy
    assert f"Port {busy} is in use" in capsys.readouterr().out


def test_no_free_port_is_an_error_with_a_way_out(busy):
    with pytest.raises(SystemExit, match="--port N"):
        lab.free_port(busy, tries=1)


def test_a_port_out_of_range_is_refused(capsys):
    with pytest.raises(SystemExit):
        lab.main(["--port", "70000"])
    assert "expected 1 to 65535" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("linux", {"WSL_DISTRO_NAME": "Debian"}, True),
        ("darwin", {}, True),
        ("win32", {}, True),
    ],
)
def test_display(platform, variables, expected, monkeypatch):
    monkeypatch.setattr(sys, "platform", platform)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert lab.has_display() is expected


def test_without_data_the_course_opens_all_the_same(monkeypatch, capsys):
    def unavailable():
        raise movielens.Unavailable("it cannot be fetched; rec_lib.data.simulator is the way out")

    monkeypatch.setattr(movielens, "load", unavailable)
    monkeypatch.setattr(text, "king_james", unavailable)
    monkeypatch.setattr(knowledge, "knowledge", unavailable)
    lab.fetch_data()
    said = capsys.readouterr().out
    assert said.count("cannot be fetched") == said.count("opens without it") == 3


def test_compiles_once(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(lab, "home", lambda: tmp_path)
    monkeypatch.setattr(lab, "COMPILED", ("json", "rec_lib.schema"))
    lab.warm_up()
    assert "Compiling" in capsys.readouterr().out
    lab.warm_up()
    assert not capsys.readouterr().out


def status(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_jupyterlab_opens_on_the_start_page_with_a_token(busy, tmp_path):
    """The real thing, beside a busy port, then stopped as Ctrl+C would."""
    code = (
        "import sys; from pathlib import Path; from rec_lib.cli import lab; lab.root = lambda: Path(sys.argv[1]); "
        "(lab.root() / 'work').mkdir(); lab.open_lab(lab.free_port(int(sys.argv[2])), browser=False)"
    )
    home = tmp_path / "home"
    env = {**os.environ, "REC_LIB_HOME": str(home), "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime")}
    command = [sys.executable, "-c", code, str(tmp_path), str(busy)]
    server = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        said, address = "", None
        while address is None and (line := server.stdout.readline()):
            said += line
            address = re.search(r"http://127\.0\.0\.1:(\d+)/lab/tree/00_start_here\.ipynb\?token=(\w+)", line)
        assert address, said
        assert int(address[1]) > busy
        assert ("--allow-root" in said) is (hasattr(os, "geteuid") and os.geteuid() == 0)
        assert status(address[0]) == 200
        assert status(f"http://127.0.0.1:{address[1]}/api/contents") == 403
        assert (home / "jupyter" / "lab" / "user-settings").is_dir()
    finally:
        server.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
        server.wait(30)
        server.stdout.close()
