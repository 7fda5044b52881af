"""Every test writes to a temporary home and reads the data that the clone has already fetched."""

import atexit
import os
import shutil
import signal
import tempfile
from pathlib import Path

import torch

_HOME = tempfile.mkdtemp(prefix="rec_lib-tests-")
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
os.environ["REC_LIB_HOME"] = _HOME
_FETCHED = Path(__file__).resolve().parents[1] / ".course" / "data" / "ml-100k"
if _FETCHED.is_dir():  # otherwise the loader fetches it into the temporary home
    os.environ.setdefault("REC_LIB_DATA", str(_FETCHED))

# A command that a script starts with & ignores Ctrl-C, and so does all that it starts: tests send it, and expect it to work.
signal.signal(signal.SIGINT, signal.default_int_handler)

torch.set_num_threads(1)
