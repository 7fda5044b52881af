"""Judges: the messages that learners get for everything that can go wrong with an answer."""

import signal
import textwrap
import threading
import time

import numpy as np
import pytest
import sympy
import torch

from rec_lib.exercises import NOT_YET, core, judges, model
from rec_lib.exercises.guard import Deadline, OutOfTime, call
from rec_lib.exercises.judges import Property, code_judge, numeric_judge, scales, symbolic_judge, symmetric

DOCUMENTED = model.__doc__.split("::\n", 1)[1].split('\nA ``"bug"``')[0]


def reference(v):
    return (v.sum(1).square() - v.square().sum(1)).sum(1) / 2


def fields(rng, size):
    return (judges.numbers(rng, 2, size + 1, size),)


PAIRWISE = code_judge("pairwise", reference, fields, properties=(symmetric("fields", axis=1), scales(2)))


def documented():
    scope = {}
    exec(textwrap.dedent(DOCUMENTED), scope)
    return scope["EXERCISES"]


@pytest.mark.parametrize("exercise", documented(), ids=lambda e: e.kind)
def test_the_documented_examples_keep_their_promises(exercise):
    assert core.grade(exercise, exercise.run(exercise.stub)).status == "not attempted"
    assert core.grade(exercise, exercise.run(exercise.solution)).status == "right"
    for wrong in exercise.wrong:
        outcome = core.grade(exercise, exercise.run(wrong.source))
        assert outcome.status == "wrong"
        assert wrong.expect in outcome.message


def off_by_a_factor(v):
    return 2 * reference(v)


def not_symmetric(v):
    return (v[:, 0] * v[:, 1]).sum(1)


def not_quadratic(v):
    return reference(v) + 1


def forgets_to_return(v):
    reference(v)


def wrong_shape(v):
    return reference(v).unsqueeze(1)


def wrong_dtype(v):
    return reference(v).double()


def wrong_type(v):
    return reference(v).numpy()


def raises(v):
    return v[:, 99]


def no_message(v):
    raise ValueError


def exits(v):
    raise SystemExit(3)


def no_arguments():
    return 1.0


def changes_its_input(v):
    v *= 1.5
    return reference(v)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (off_by_a_factor, "2.00 × the expected value on every input"),
        (not_symmetric, "symmetry: the order of the fields must not matter"),
        (not_quadratic, "scale: twice the input must give 4 times the answer"),
        (forgets_to_return, "returned None: is the return missing?"),
        (wrong_shape, "shape: got (2, 1), expected (2,)"),
        (wrong_dtype, "dtype: got torch.float64, expected torch.float32"),
        (wrong_type, "type: got a numpy array, expected a torch tensor"),
        (raises, "raised IndexError: index 99 is out of bounds for dimension 1 with size 2, at line"),
        (raises, ": return v[:, 99]"),
        (no_message, "raised ValueError, at line"),
        (exits, "raised SystemExit: 3"),
        (no_arguments, "raised TypeError: no_arguments() takes 0 positional arguments but 1 was given"),
        (changes_its_input, "changed its argument v in place"),
        (torch.zeros(2), "expected the function itself: check(…, pairwise)"),
        (3, "type: got 3"),
    ],
)
def test_each_mistake_gets_its_own_words_and_the_smallest_input(answer, said):
    outcome = PAIRWISE(answer)
    assert outcome.status == "wrong"
    assert said in outcome.message
    assert outcome == PAIRWISE(answer), "the message must be the same in every run"
    if callable(answer):
        assert "smallest failing input: v = tensor (2, " in outcome.message


def test_prints_are_caught_and_handed_on(capsys):
    def chatty(v):
        print("sum is", v.sum().item())
        return v

    assert PAIRWISE(chatty).printed.startswith("sum is")
    assert capsys.readouterr().out == ""


def test_a_stub_is_not_attempted_and_a_right_answer_right():
    assert PAIRWISE(lambda v: NOT_YET).status == "not attempted"
    assert PAIRWISE(NOT_YET).status == "not attempted"
    assert PAIRWISE(reference).status == "right"
    assert repr(NOT_YET) == "NOT_YET"


def forever(v):
    while True:
        pass


def swallows(v):
    while True:
        try:
            sum(range(100))
        except BaseException:  # the learner's bare except
            print("swallowed")


@pytest.mark.parametrize("answer", [forever, swallows])
def test_a_loop_without_end_is_stopped(answer):
    started = time.perf_counter()
    outcome = code_judge("f", reference, fields, seconds=0.3)(answer)
    assert "did not finish within 0.3 seconds" in outcome.message
    assert time.perf_counter() - started < 10


def test_the_budget_is_shared_by_all_calls():
    def slow(v):
        until = time.perf_counter() + 0.05
        while time.perf_counter() < until:
            pass
        return reference(v)

    assert "did not finish" in code_judge("f", reference, fields, seconds=0.2)(slow).message


def test_the_time_limit_leaves_nothing_behind():
    for _ in range(30):
        deadline = Deadline(0.002)
        with pytest.raises(OutOfTime):
            deadline.run(forever, (1,))
    for _ in range(200):  # ends about when the time does: a late exception would surface here
        deadline = Deadline(0.001)
        until = time.perf_counter() + 0.001
        call(lambda until=until: [0 for _ in iter(lambda: time.perf_counter() < until, False)], (), deadline)
    time.sleep(0.3)
    assert not [t for t in threading.enumerate() if t.name == "exercise deadline"]


def test_interrupt_stops_the_check_at_once():
    timer = threading.Timer(0.2, signal.raise_signal, [signal.SIGINT])
    timer.start()
    started = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        code_judge("f", reference, fields, seconds=60)(forever)
    assert time.perf_counter() - started < 10
    timer.join()


def test_mutation_is_seen_in_every_kind_of_argument_but_generators_may_advance():
    def spoil(tensor, array, list_, dict_, rng):
        rng.normal()
        tensor.zero_()
        array[0] = 9
        list_.append(1)
        dict_["a"].append(1)

    given = (torch.ones(2), np.ones(2), [1], {"a": [1]}, np.random.default_rng(0))
    assert call(spoil, given, Deadline(5)).changed == (0, 1, 2, 3)
    assert given[2:4] == ([1], {"a": [1]}), "the originals are kept from the learner's code"
    nan = (torch.tensor([float("nan")]), np.array([float("nan")]))
    assert call(lambda a, b: None, nan, Deadline(5)).changed == ()


def test_gradients_flow_through_copied_arguments():
    def slope(x):
        y = (x**2).sum()
        return torch.autograd.grad(y, x)[0]

    judge = code_judge(
        "slope", lambda x: 2 * x.detach(), lambda rng, size: (judges.numbers(rng, size).requires_grad_(),)
    )
    assert judge(slope).status == "right"


@pytest.mark.parametrize(
    ("expected", "got", "said"),
    [
        ([1, 2], [1], "length: got 1 entries, expected 2"),
        ((1.0, 2.0), [1.0, 2.0], "type: got list"),
        ({"a": 1}, {"b": 1}, "keys: got the keys ['b'], expected ['a']"),
        ({"a": 1}, {"a": 2}, "value: got 2 in 'a', expected 1"),
        ([torch.ones(2)], [torch.ones(3)], "shape: got (3,) in entry 0, expected (2,)"),
        ("ab", "ac", "value: got 'ac', expected 'ab'"),
        (1.5, "1.5", "type: got str '1.5', expected one number"),
        (1.5, np.ones(2), "type: got a numpy array, expected one number"),
        (True, False, "value: got False, expected True"),
        (np.array([1, 2]), np.array([1, 3]), "value: got array (2,) int64 [1, 3], expected array (2,) int64 [1, 2]"),
        (np.ones(30), np.zeros(30), "value: got array (30,), expected array (30,)"),
        (None, 3, "type: got int 3, expected None"),
    ],
)
def test_values_of_every_kind_are_compared(expected, got, said):
    judge = code_judge("f", lambda n: expected, lambda rng, size: (size,))
    assert judge(lambda n: expected).status == "right"
    assert said in judge(lambda n: got).message


def test_scalars_of_every_library_are_one_kind():
    judge = code_judge("f", lambda n: 1.5 * n, lambda rng, size: (size,))
    for kind in (float, np.float32, np.float64, torch.tensor):
        assert judge(lambda n, kind=kind: kind(1.5 * n)).status == "right"
    assert "got nan" in judge(lambda n: float("nan")).message


def test_objects_in_messages_have_no_addresses():
    judge = code_judge("f", lambda n: 1.0, lambda rng, size: (size,))
    assert "an object of type object" in judge(lambda n: object()).message


def stops_after_50():
    calls = []

    def draw(rng):
        calls.append(1)
        while len(calls) > 50:
            pass
        return rng.uniform()

    return draw


def test_properties_alone_can_judge_random_answers():
    def mean_is_half(function, args, rng):
        mean = np.mean([function(rng) for _ in range(400)])
        return None if abs(mean - 0.5) < 0.1 else f"the mean must be 0.5, got {mean:.1f}"

    law = Property("distribution", mean_is_half)
    judge = code_judge("draw", None, lambda rng, size: (rng,), properties=(law,))
    assert judge(lambda rng: rng.uniform()).status == "right"
    assert "distribution: the mean must be 0.5, got 0." in judge(lambda rng: rng.uniform() ** 4).message
    assert "raised ZeroDivisionError" in judge(lambda rng: 1 / 0).message
    assert (
        "did not finish"
        in code_judge("draw", None, lambda rng, size: (rng,), (law,), seconds=0.3)(stops_after_50()).message
    )


def test_a_function_that_fails_only_under_a_property_is_reported():
    def fails_on_large(v):
        if v.abs().max() > 2.5:
            raise ValueError("too large for me")
        return reference(v)

    assert "raised ValueError: too large for me" in PAIRWISE(fails_on_large).message
    assert "(while scale was tested)" in PAIRWISE(fails_on_large).message


X, Y = sympy.symbols("x y", positive=True)
RATIO = symbolic_judge(X / (X + Y), {"x": (0, 1), "y": (0, 1)})


@pytest.mark.parametrize("answer", [1 / (1 + Y / X), 1 - Y / (X + Y), sympy.Symbol("x") / (sympy.Symbol("x") + Y)])
def test_equivalent_formulas_are_right_whatever_their_form_and_assumptions(answer):
    assert RATIO(answer).status == "right"
    assert RATIO(lambda: answer).status == "right"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (X / Y, "value: at x = "),
        (2 * X / (X + Y), "2.00 × the expected value at every point"),
        (X + sympy.Symbol("z"), "symbols: got z, expected only x, y"),
        (sympy.Eq(X, Y), "got an equation"),
        ("x/(x+y)", "type: got str"),
        (None, "is the return missing?"),
        (True, "type: got bool"),
        (sympy.log(X - 2), "got "),
        (1 / (X - X * sympy.Integer(1)), "not a finite number"),
        (lambda: 1 / 0, "raised ZeroDivisionError"),
        (lambda: None, "is the return missing?"),
    ],
)
def test_wrong_formulas_get_a_point_or_a_reason(answer, said):
    outcome = RATIO(answer)
    assert outcome.status == "wrong"
    assert said in outcome.message


def test_formulas_with_sums_integrals_and_indexed_elements_are_compared():
    n, i, t = sympy.symbols("n i t")
    v = sympy.IndexedBase("v")
    judge = symbolic_judge(v[1] + v[2], {"v[1]": (-1, 1), "v[2]": (-1, 1)})
    assert judge(sympy.Sum(v[i], (i, 1, 2))).status == "right"
    assert symbolic_judge(X**2 / 2, {"x": (0, 2)})(sympy.Integral(t, (t, 0, X))).status == "right"
    assert symbolic_judge(2 * X, {"x": (0, 2)})(sympy.Derivative(X**2, X)).status == "right"


def test_a_formula_that_takes_for_ever_is_stopped():
    def endless():
        while True:
            pass

    assert "did not finish" in symbolic_judge(X, {"x": (0, 1)}, seconds=0.2)(endless).message


PAIRS = numeric_judge(190, 0.01, "n(n − 1)/2 for n = 20", "pairs", traps=((380, "Each pair is there twice."),))


@pytest.mark.parametrize(
    "answer", [190, 190.5, np.float64(190), torch.tensor(190), sympy.Rational(380, 2), lambda: 190]
)
def test_numbers_within_tolerance_are_right(answer):
    assert PAIRS(answer).status == "right"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (380, "Each pair is there twice."),
        (400, "got 400 pairs, too large: 2.11 times"),
        (19, "too small: 1/10 of"),
        (1.9, "a percentage where a fraction"),
        (195, "too large, by less than 5 %"),
        (-190, "of the wrong sign"),
        (0, "expected a number that is not 0"),
        (float("inf"), "expected a finite number"),
        ("190", "type: got str"),
        (True, "type: got bool"),
        (None, "is the return missing?"),
        (np.array([190]), "expected one number"),
        (lambda: 1 / 0, "raised ZeroDivisionError"),
    ],
)
def test_wrong_numbers_are_told_their_direction_but_not_the_answer(answer, said):
    outcome = PAIRS(answer)
    assert outcome.status == "wrong"
    assert said in outcome.message
    assert "190" not in outcome.message.replace(f"{answer}", "")


def test_a_number_that_should_be_zero_has_an_absolute_tolerance():
    judge = numeric_judge(lambda: 0.0, 0.01, "the two are equal")
    assert judge(0.005).status == "right"
    assert "expected a smaller number" in judge(0.5).message
    assert "expected a larger number" in judge(-0.5).message
