"""Running a learner's code: with a time limit, its prints captured, its arguments watched, its errors put in words."""

from __future__ import annotations

import contextlib
import copy
import ctypes
import io
import linecache
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np

_AGAIN = 0.1  # seconds until code is taken to have swallowed the first attempt to stop it
_AT_ONCE = 1e-5  # seconds between the attempts after that


class OutOfTime(BaseException):
    """Raised inside a learner's code when its time is over; not an Exception, so that ``except Exception`` passes it."""


class Deadline:
    """A budget of seconds, shared by all calls of one check."""

    def __init__(self, seconds: float):
        self.message = f"did not finish within {seconds:g} seconds on small inputs: does every loop end?"
        self._left = seconds

    def run(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Call a function; raise OutOfTime when the budget is used up.

        A second thread asks the interpreter to raise it in this one. That stops Python code on every platform and in a
        kernel's main thread, and leaves SIGINT alone, so the learner's own Interrupt still works. Native code is not
        stopped; exercises use small inputs for that reason.
        """
        if self._left <= 0:
            raise OutOfTime
        ident = ctypes.c_ulong(threading.get_ident())
        set_exception = ctypes.pythonapi.PyThreadState_SetAsyncExc
        lock, done = threading.Lock(), threading.Lock()
        over = sent = False

        def watch() -> None:
            nonlocal sent
            wait, usual = self._left, sys.getswitchinterval()
            try:
                while not done.acquire(timeout=wait):
                    with lock:
                        if over:
                            return
                        again, sent = sent, True
                        set_exception(ident, ctypes.py_object(OutOfTime))
                    if again:  # the code swallows it: send the next one while it is still in its except clause
                        sys.setswitchinterval(_AT_ONCE)
                    wait = _AT_ONCE if again else _AGAIN
            finally:
                sys.setswitchinterval(usual)

        started = time.monotonic()
        done.acquire()
        try:
            try:
                threading.Thread(target=watch, name="exercise deadline", daemon=True).start()
                value = function(*args)
            finally:
                # The interpreter raises what was sent at calls and jumps only, so nothing comes between the try block
                # and this line; after it the watcher sends no more, and at most one exception is still on its way.
                over = True
                with lock:
                    if sent:
                        set_exception(ident, None)  # takes it back
        finally:
            done.release()
            if sent:
                _lower_flag(set_exception, ident)
            self._left -= time.monotonic() - started
        if sent:  # swallowed by the function, which then returned
            raise OutOfTime
        return value


def _lower_flag(set_exception: Any, ident: ctypes.c_ulong) -> None:
    """Raise one more exception in this thread and catch it.

    An exception that is taken back leaves CPython's flag for it up. Nothing shows until a tracer is set (the X-ray, a
    debugger, coverage): a traced call then looks at the flag for ever. Only an exception that arrives lowers it.
    """
    try:
        set_exception(ident, ctypes.py_object(OutOfTime))
        while True:  # it arrives at the jump back
            pass
    except OutOfTime:
        return


@dataclass(frozen=True)
class Call:
    """What one call did: its value, or the problem in words; what it printed; which arguments it changed."""

    value: Any = None
    problem: str = ""
    printed: str = ""
    changed: tuple[int, ...] = ()


def call(function: Callable[..., Any], args: tuple[Any, ...], deadline: Deadline | None) -> Call:
    """Call a learner's function on copies of the arguments, except generators: those advance from call to call.

    KeyboardInterrupt passes through. SystemExit (``exit()`` in a cell) is reported like any error. Without a deadline
    the caller has one running already (starting a watcher costs as much as a thousand small calls).
    """
    given = tuple(a if isinstance(a, np.random.Generator) else copied(a) for a in args)
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            value = deadline.run(function, given) if deadline else function(*given)
    except OutOfTime:
        if deadline is None:
            raise
        return Call(problem=deadline.message, printed=out.getvalue())
    except (Exception, SystemExit) as error:
        return Call(problem=f"raised {_in_words(error, function)}", printed=out.getvalue())
    changed = tuple(i for i, (a, b) in enumerate(zip(args, given, strict=True)) if not unchanged(a, b))
    return Call(value, "", out.getvalue(), changed)


def _in_words(error: BaseException, function: Callable[..., Any]) -> str:
    text = type(error).__name__
    with contextlib.suppress(Exception):  # an exception of the learner's own class may fail to say what it is
        text = f"{text}: {error}" if str(error) else text
    code = getattr(function, "__code__", None)
    line = _last_line(error.__traceback__, code.co_filename) if code else None
    if line is None:
        return text
    return f"{text}, at line {line[0]}" + (f": {line[1]}" if line[1] else "")


def _last_line(trace: TracebackType | None, filename: str) -> tuple[int, str] | None:
    """Number and text of the innermost line of the learner's cell in a traceback."""
    found = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == filename:
            found = (trace.tb_lineno, linecache.getline(filename, trace.tb_lineno).strip())
        trace = trace.tb_next
    return found


def copied(value: Any) -> Any:
    """A deep copy; a tensor's copy is a leaf of its own."""
    if _is_tensor(value):
        return value.detach().clone().requires_grad_(value.requires_grad)
    if isinstance(value, (tuple, list)) and type(value) in (tuple, list):
        return type(value)(copied(v) for v in value)
    if type(value) is dict:
        return {k: copied(v) for k, v in value.items()}
    return copy.deepcopy(value)


def unchanged(before: Any, after: Any) -> bool:
    """Whether an argument is as it was. Generators may advance: that is what they are for."""
    if _is_tensor(before):
        same_kind = before.shape == after.shape and before.dtype == after.dtype
        return same_kind and np.array_equal(_numbers(before), _numbers(after), equal_nan=before.is_floating_point())
    if isinstance(before, np.ndarray):
        floating = np.issubdtype(before.dtype, np.inexact)
        return before.shape == after.shape and np.array_equal(before, after, equal_nan=floating)
    if isinstance(before, (list, tuple)):
        return len(before) == len(after) and all(map(unchanged, before, after))
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(unchanged(before[k], after[k]) for k in before)
    return not isinstance(before, (set, str, int, float)) or before == after


def _numbers(tensor: Any) -> np.ndarray:
    return tensor.detach().cpu().numpy()


def _is_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")  # no tensor can exist where torch was never imported
    return torch is not None and isinstance(value, torch.Tensor)
