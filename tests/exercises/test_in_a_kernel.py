"""In a real kernel: a check shows rich and plain text with the learner's line, and Interrupt stops an endless loop."""

import time

import pytest
from jupyter_client.manager import start_new_kernel

SETUP = """
from rec_lib.exercises import check, core, model
from rec_lib.exercises.judges import code_judge
wrong = (model.Wrong("def f(n): return 0", "got"),) * 3
one = model.Exercise("3.7.9-f", "code", "f", "def f(n): return NOT_YET", "def f(n): return n", ("a", "b", "c"),
                     code_judge("f", lambda n: n, lambda rng, size: (size,), seconds=600), wrong)
core.chapters, core.exercises = lambda: [3], lambda chapter: (one,)
"""


@pytest.fixture(scope="module")
def client():
    manager, client = start_new_kernel()
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run(client, code):
    outputs = []
    client.execute_interactive(code, timeout=60, output_hook=lambda m: outputs.append((m["msg_type"], m["content"])))
    return outputs


def test_messages_are_rich_and_name_the_line(client):
    _, client = client
    assert [kind for kind, _ in run(client, SETUP) if kind == "error"] == []
    outputs = run(client, "def f(n):\n    print('n is', n)\n    return 1 / 0\n\ncheck('3.7.9-f', f)")
    data = next(content["data"] for kind, content in outputs if kind == "display_data")
    assert data["text/plain"] == (
        "✗ 3.7.9-f: not right yet.\nf raised ZeroDivisionError: division by zero, at line 3: return 1 / 0\n"
        'smallest failing input: n = 1\nyour code printed:\nn is 1\nhint("3.7.9-f") helps.'
    )
    assert data["text/html"].startswith('<div role="status"')
    assert [kind for kind, _ in outputs if kind == "stream"] == []


def test_interrupt_stops_a_check(client):
    manager, client = client
    run(client, SETUP)
    message = client.execute("def f(n):\n    while True:\n        pass\n\ncheck('3.7.9-f', f)")
    time.sleep(1)
    manager.interrupt_kernel()
    reply = client.get_shell_msg(timeout=30)
    while reply["parent_header"].get("msg_id") != message:
        reply = client.get_shell_msg(timeout=30)
    assert reply["content"]["ename"] == "KeyboardInterrupt"
    time.sleep(1)  # a kernel drops what is sent while it still empties its queue after an error
    assert any("42" in str(content) for _, content in run(client, "print(6 * 7)"))
