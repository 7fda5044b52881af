"""After code was stopped for taking too long, a tracer (the X-ray, a debugger) still works in the same process."""

import subprocess
import sys

SCRIPT = """
import sys
from rec_lib.exercises.guard import Deadline, call

def forever():
    while True:
        pass

def swallows():
    for _ in range(5):
        try:
            while True:
                pass
        except BaseException:
            continue
    return 1

for function in (forever, swallows):
    assert "did not finish" in call(function, (), Deadline(0.2)).problem
assert call(lambda: 7, (), Deadline(0.2)).value == 7
seen = []
sys.settrace(lambda frame, event, arg: seen.append(event))
sum(map(lambda x: x + 1, range(10)))
sys.settrace(None)
assert "call" in seen
print("traced")
"""


def test_a_tracer_works_after_a_stop():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "traced", done.stderr
