"""The cache of fetched data: one process fetches, others wait; a data set is there whole or not at all."""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from filelock import FileLock

from rec_lib.data.sources import Unavailable
from rec_lib.paths import home


def cached(name: str, get: Callable[[], Mapping[str, bytes]], terms: str) -> Path:
    """The data set's folder in the cache. Where it is missing, `get()` gives its files; `terms` of use are printed once.

    Raises Unavailable where the cache cannot be written, and what `get` raises.
    """
    data = home() / "data"
    place = data / name
    try:
        data.mkdir(parents=True, exist_ok=True)
        with FileLock(data / f".{name}.lock"):
            if place.exists():
                return place
            _write(place, get())
            marker = data / f"{name}.terms.txt"
            if not marker.exists():
                marker.write_text(terms + "\n", encoding="utf-8")
                print(terms)
    except Unavailable:
        raise
    except OSError as error:
        raise Unavailable(
            f"the cache {data} cannot be written ({error}). Set REC_LIB_HOME to a folder that you may write to, "
            f"or REC_LIB_DATA to a folder that holds {name}."
        ) from error
    return place


def _write(place: Path, files: Mapping[str, bytes]) -> None:
    """Writes into a neighbour folder and renames it: whoever looks sees the whole folder or none."""
    for left in place.parent.glob(f".{place.name}.*/"):  # by a process that was killed; the lock is ours
        shutil.rmtree(left, ignore_errors=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    try:
        for file, content in files.items():
            (staging / file).write_bytes(content)
        staging.chmod(0o755)
        staging.rename(place)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
