#!/usr/bin/env python3
"""The one door to the course: checks Python, makes .venv, installs the locked packages, hands over to rec_lib.cli.

Standard library only. Written so that even Python 2.7 can parse it: "too old" must be a message, not a syntax error.
"""

from __future__ import print_function

import argparse
import contextlib
import errno
import hashlib
import io
import os
import platform
import re
import subprocess
import sys
import sysconfig
import time

OLDEST, NEWEST = (3, 11), (3, 14)  # the Pythons for which the pins (torch 2.13.0, numba 0.68.1) ship wheels
ROOT = os.path.dirname(os.path.realpath(__file__))
WINDOWS = os.name == "nt"
COMMANDS = (
    ("lab", "open the course in JupyterLab (--no-browser, --port N: the first port to try, 8888)"),
    ("reset", "SECTION: bring a notebook back to its original; yours is kept beside it"),
    ("doctor", "check this installation and say how to mend what is wrong"),
    ("test", "run everything that CI runs (--thorough for more)"),
    ("measure", "SECTION: train over several seeds and store the results that claims read"),
    ("bench", "run the benchmarks"),
    ("notebooks", "re-execute and normalise notebooks"),
    ("screenshots", "make the pictures of the README again"),
)
ARGUMENTS = {  # what may follow a command; N is a number (from 1:65535), * stands for any number of words
    "lab": ("--no-browser", "--port N 1:65535"),
    "reset": ("SECTION",),
    "test": ("--thorough",),
    "measure": ("--seeds N 2:10000", "--check", "--confirm", "SECTION*"),
    "bench": ("NAME*",),
    "notebooks": ("--check", "PATH*"),
    "screenshots": ("NAME*",),
}
NEED_DEV = ("test", "bench", "notebooks", "screenshots")  # these install requirements-dev.lock, a superset

BAD_PYTHON = """This is {here}.
The course needs CPython {oldest} to {newest}: PyTorch and numba ship for those.
{mend}"""
NO_VENV = """This Python cannot make environments: its venv and ensurepip modules are a package of their own.
  Debian, Ubuntu:  sudo apt-get install python{version}-venv
  elsewhere:       install Python from https://www.python.org/downloads/
Then run the same command again."""
PIP_TROUBLE = (  # (what pip says, what it means)
    (
        "No space left|Errno 28|not enough space",
        "The disk is full. The packages need about 3 GB in {root}\n(on Linux up to 8 GB: PyTorch's default build brings "
        "GPU libraries, the README names the smaller one).\nMake room and run the same command again: it continues.",
    ),
    (
        "NewConnectionError|NameResolution|name resolution|getaddrinfo|unreachable|ProxyError|SSLError|Timeout|timed out|"
        "Connection reset|Connection broken|IncompleteRead|ProtocolError",
        "The package index could not be reached, or the connection broke. Check the network (and HTTPS_PROXY, if there\n"
        "is a proxy). Run the same command again: what was downloaded is not fetched twice.",
    ),
    (
        "No matching distribution",
        "A package has no build for {platform}: see the line above.\nPyTorch 2.13.0 has none for Intel Macs, Windows on "
        "ARM, 32-bit Pythons and musl (Alpine).\nOn an Apple-silicon Mac or a 64-bit Windows, check that Python itself is "
        "the native 64-bit one.",
    ),
    (
        "",
        "Installing failed; pip's own words are above. Mend that and run the same command again: it continues.\n"
        "If the environment itself is broken, delete the folder .venv first.",
    ),
)


class Stop(Exception):
    """Ends the run with a message for the reader and no traceback."""


def say(text):
    print(text)
    sys.stdout.flush()


def dotted(version):
    return ".".join(str(part) for part in version)


def check_python(version, implementation="CPython", gil_disabled=False):
    """Refuse by name every Python for which the locked packages have no wheels."""
    if OLDEST <= tuple(version[:2]) <= NEWEST and implementation == "CPython" and not gil_disabled:
        return
    here = "%s %s%s (%s)" % (implementation, dotted(version[:3]), " free-threaded" * bool(gil_disabled), sys.executable)
    names = ["python3.%d" % minor for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    folders = os.environ.get("PATH", "").split(os.pathsep)
    found = [name for name in names if any(os.access(os.path.join(folder, name), os.X_OK) for folder in folders)]
    mend = "Try:  %s course.py lab" % found[0] if found else "Get one from https://www.python.org/downloads/."
    raise Stop(BAD_PYTHON.format(here=here, oldest=dotted(OLDEST), newest=dotted(NEWEST), mend=mend))


def inside(*args):
    """A command line that runs the Python of the course's own environment."""
    python = os.path.join("Scripts", "python.exe") if WINDOWS else os.path.join("bin", "python")
    return [os.path.join(ROOT, ".venv", python)] + list(args)


def digest(lock_name):
    """Changes when the locked versions, the package's own metadata or the clone's place change."""
    parts = hashlib.sha256(ROOT.encode("utf-8", "surrogateescape"))
    for name in (lock_name, "pyproject.toml"):
        with open(os.path.join(ROOT, name), "rb") as file:
            parts.update(file.read())
    return "%s %s" % (lock_name, parts.hexdigest())


def stamp_path():
    return os.path.join(ROOT, ".venv", "course-stamp.txt")


def is_current(lock_name):
    if not os.path.exists(stamp_path()) or not os.path.exists(inside()[0]):
        return False
    with open(stamp_path()) as stamp:
        return digest(lock_name) in stamp.read().splitlines()


def try_lock(handle):
    if WINDOWS:
        import msvcrt

        handle.seek(0)
        msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextlib.contextmanager
def only_one():
    """Let one course.py at a time install into this clone; the system frees the lock even if that one is killed."""
    folder = os.path.join(ROOT, ".course")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "install.lock"), "a+") as handle:
        waiting = False
        while True:
            try:
                try_lock(handle)
                break
            except OSError as error:
                if error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
                    say("This file system knows no locks: start only one course.py at a time here.")
                    break
            if not waiting:
                say("Another course.py is installing here; waiting until it is done.")
                waiting = True
            time.sleep(0.3)
        yield


def runs():
    """Whether .venv has a Python of the right version with pip: a half-made one, or one whose base is gone, has not."""
    probe = "import sys, pip; sys.exit(not %r <= sys.version_info[:2] <= %r)" % (OLDEST, NEWEST)
    return os.path.exists(inside()[0]) and subprocess.call(inside("-c", probe), stderr=subprocess.DEVNULL) == 0


def make_venv():
    from importlib.util import find_spec

    if not (find_spec("venv") and find_spec("ensurepip")):
        raise Stop(NO_VENV.format(version=dotted(sys.version_info[:2])))
    folder = os.path.join(ROOT, ".venv")
    say("Making an environment of its own for the course in %s" % folder)
    if subprocess.call([sys.executable, "-m", "venv", "--clear", folder]):
        raise Stop("The environment could not be made; the lines above say why. Mend that and run the command again.")


def pip_install(*args):
    """Run pip with its progress shown; on failure say in plain words what is wrong."""
    command = inside("-m", "pip", "install", "--disable-pip-version-check")
    process = subprocess.Popen(command + list(args), stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    errors = ""
    for line in process.stderr:
        errors += line.decode("utf-8", "replace")
        sys.stderr.write(line.decode("utf-8", "replace"))
    if process.wait():
        meaning = next(meaning for words, meaning in PIP_TROUBLE if re.search(words, errors))
        raise Stop(
            meaning.format(root=ROOT, platform="%s, Python %s" % (platform.platform(), platform.python_version()))
        )


def install(lock_name):
    """Install the locked packages unless the stamp says that they are there; the stamp is written last."""
    if is_current(lock_name):
        return
    with only_one():
        if is_current(lock_name):  # another course.py did it while this one waited
            return
        if not runs():
            make_venv()
        say("Installing the packages of %s into .venv: a few minutes, once" % lock_name)
        pip_install("-r", os.path.join(ROOT, lock_name))
        pip_install("--quiet", "--no-deps", "--no-build-isolation", "-e", ROOT)
        names = ["requirements.lock", lock_name] if "dev" in lock_name else [lock_name]
        partial = stamp_path() + ".part"
        with open(partial, "w") as stamp:
            stamp.write("\n".join(digest(name) for name in names) + "\n")
        os.replace(partial, stamp_path())
        say("Installed.")


def hand_over(argv):
    """Become `python -m rec_lib.cli ...` of the environment. The doctor runs even where nothing is installed."""
    command = inside("-m", "rec_lib.cli", *argv)
    env = dict(os.environ, PYTHONNOUSERSITE="1", PYTHONUTF8="1")
    env.pop("PYTHONPATH", None)  # packages from elsewhere would hide the locked ones
    if argv[0] == "doctor":
        env["PYTHONPATH"] = ROOT
        command[0] = command[0] if os.path.exists(command[0]) else sys.executable
    if WINDOWS:  # its exec returns to the shell at once and splits paths at spaces
        return subprocess.call(command, env=env)
    sys.stdout.flush()
    return os.execve(command[0], command, env)


def known_words(command):
    """The words that bench, measure or reset take, as the files of this clone name them."""
    if command == "bench":
        return [name[:-3] for name in sorted(os.listdir(os.path.join(ROOT, "benchmarks"))) if name.endswith(".py")]
    if command == "measure":
        with io.open(os.path.join(ROOT, "rec_lib", "experiments", "core.py"), encoding="utf-8") as file:
            return re.findall('^    "([0-9.]+)": "', file.read(), re.M)
    words = []
    for folder, _, names in sorted(os.walk(os.path.join(ROOT, "chapters"))):
        for name in sorted(name for name in names if name.endswith(".ipynb")):
            with io.open(os.path.join(folder, name), encoding="utf-8") as file:
                words += re.findall('"section": "([0-9.]+)"', file.read()) + [name[: -len(".ipynb")]]
    return words


def check_usage(command, args):
    """Answer --help and refuse what the command does not take, by argparse's SystemExit, before anything is installed."""
    parser = argparse.ArgumentParser(prog="course.py " + command, description=dict(COMMANDS)[command])
    for argument in ARGUMENTS.get(command, ()):
        name, number = argument.partition(" ")[::2]
        if number:
            parser.add_argument(name, type=int, metavar=number[0])
        elif name.startswith("-"):
            parser.add_argument(name, action="store_true")
        else:
            parser.add_argument(name.strip("*"), nargs="*" if name.endswith("*") else None)
    given = vars(parser.parse_args(args))
    for argument in ARGUMENTS.get(command, ()):
        name, number = argument.partition(" ")[::2]
        value = given[name.strip("-*").replace("-", "_")]
        if number and value is not None:
            first, last = [int(end) for end in number[2:].split(":")]
            if not first <= value <= last:
                parser.error("%s %d: expected %d to %d" % (name, value, first, last))
    if command in ("bench", "measure", "reset"):
        known = known_words(command)
        for word in [given["SECTION"]] if command == "reset" else given["NAME" if command == "bench" else "SECTION"]:
            if re.sub(r"^.*[/\\]|\.ipynb$", "", word) not in known:  # a notebook may be named by its file
                parser.error("'%s' is unknown; there are: %s" % (word, ", ".join(known)))


def main(argv):
    if not argv or argv[0] not in dict(COMMANDS):
        say("%s\n\nusage: python3 course.py COMMAND\n" % __doc__.splitlines()[0])
        say("\n".join("  %-12s %s" % row for row in COMMANDS))
        return 0 if not argv or argv[0] in ("-h", "--help", "help") else 2
    check_usage(argv[0], argv[1:])
    try:
        gil_disabled = sysconfig.get_config_var("Py_GIL_DISABLED")
        check_python(sys.version_info, platform.python_implementation(), gil_disabled)
        if argv[0] != "doctor":
            install("requirements-dev.lock" if argv[0] in NEED_DEV else "requirements.lock")
        return hand_over(argv)
    except Stop as stop:
        say("\n%s" % stop)
    except KeyboardInterrupt:
        say("\nInterrupted. Nothing is lost: run the same command again and it continues.")
        return 130
    except (IOError, OSError) as error:
        mend = "Make room" if error.errno == errno.ENOSPC else "Check that this folder and the disk can be written to"
        say("\n%s\n%s, then run the same command again." % (error, mend))
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
