"""The derivation framework: right steps are proved, wrong ones found; right code agrees, wrong code is told where."""

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import sympy
import torch
from torch import nn

from rec_lib.derive import BrokenStep, Derivation, Disagreement, Step, algebra, core, run_module, symbol_array

V = symbol_array("v", (3, 2))
FIELDS, DIMS = range(3), range(2)
PAIRS = sum(V[i, d] * V[j, d] for i in FIELDS for j in range(i + 1, 3) for d in DIMS)
SQUARE = sum((sum(V[i, d] for i in FIELDS) ** 2 - sum(V[i, d] ** 2 for i in FIELDS)) / 2 for d in DIMS)


def fm(v):
    return (v.sum(0).square() - v.square().sum(0)).sum() / 2


def pairwise(**changes):
    parts = {
        "id": "pairs",
        "title": "Pairs",
        "steps": (Step("pairs", PAIRS, "All pairs.", lhs="y"), Step("square", SQUARE, "By squares.")),
        "inputs": {"v": (3, 2)},
        "final": SQUARE,
        "symbols": {"v": V},
    }
    return Derivation(**(parts | changes))


def disagreement(derivation, code):
    with pytest.raises(Disagreement) as caught:
        derivation.agrees_with(code)
    return str(caught.value)


def test_the_worked_example_of_the_docstring_runs():
    source = textwrap.dedent(core.__doc__.split("::\n", 1)[1].split("\nSteps may also")[0])
    scope = {"fm_pairwise": lambda v: (v.sum(1).square() - v.square().sum(1)).sum(1) / 2}
    exec(source, scope)
    assert scope["PAIRWISE"].step("square").expr == SQUARE


def test_equal_steps_are_proved_and_an_unequal_one_is_named():
    assert repr(pairwise().check()) == "✓ Pairs: each step equals the one before (1 by algebra)"
    steps = (Step("pairs", PAIRS, "All pairs."), Step("doubled", 2 * SQUARE, "Forgot the half."))
    with pytest.raises(BrokenStep, match=r"'doubled' does not equal 'pairs': .* ratio 2\.00, at v_\{1,1\} = "):
        pairwise(steps=steps, final=2 * SQUARE).check()


def test_a_final_that_is_not_the_last_step_is_found_and_so_are_terms_that_do_not_add_up():
    with pytest.raises(BrokenStep, match="'final' does not equal 'square'"):
        pairwise(final=SQUARE + 1).check()
    with pytest.raises(BrokenStep, match="'sum of terms' does not equal 'final'"):
        pairwise(terms={"all": SQUARE, "more": V[0, 0]}).check()


def test_a_step_may_start_a_new_chain():
    steps = (Step("definition", V[0, 0], "One number."), Step("pairs", PAIRS, "All pairs.", starts=True))
    assert pairwise(steps=steps, final=PAIRS).check().by_algebra == 0


def test_symbolic_sums_are_written_out_for_the_sizes_given():
    n, k, i, j, f = sympy.symbols("n k i j f", integer=True, positive=True)
    v = sympy.IndexedBase("v", real=True)
    double = sympy.Sum(v[i, f] * v[j, f], (f, 1, k), (j, i + 1, n), (i, 1, n))
    squares = sympy.Sum(v[i, f] ** 2, (i, 1, n))
    single = sympy.Sum((sympy.Sum(v[i, f], (i, 1, n)) ** 2 - squares) / 2, (f, 1, k))
    steps = (Step("double", double, "All pairs."), Step("single", single, "By squares."))
    parts = {"steps": steps, "final": single, "symbols": {"v": symbol_array(v, (3, 2))}}
    derivation = pairwise(**parts, sizes={n: 3, k: 2})
    assert derivation.check().by_algebra == 1
    derivation.agrees_with(fm)
    with pytest.raises(ValueError, match="names them in sizes"):
        pairwise(**parts).check()


def test_products_derivatives_and_integrals_are_compared():
    x, w, t, i = sympy.symbols("x w t i", positive=True)
    assert algebra.concrete(sympy.Product(x + i, (i, 1, 2)), {}) == (x + 1) * (x + 2)
    assert algebra.concrete(sympy.Derivative(x**3, x), {}) == 3 * x**2
    integral = sympy.Integral(sympy.exp(-t), (t, 0, w))
    assert algebra.difference(integral, 1 - sympy.exp(-w), {}) == ("points", None)
    how, found = algebra.difference(integral, sympy.exp(-w), {})
    assert how == "points"
    assert found[1] != pytest.approx(found[2])


def test_random_points_keep_to_domains_and_assumptions():
    p, n, x = sympy.Symbol("p", real=True), sympy.Symbol("n", integer=True, positive=True), sympy.Symbol("x")
    rng = np.random.default_rng(0)
    points = [algebra.random_point([p, n, x], rng, {p: (0.001, 0.002)}) for _ in range(50)]
    assert all(0.001 < point[p] < 0.002 and point[n] >= 1 and abs(point[x]) < 2 for point in points)
    assert all(point[n].is_Integer for point in points)


def test_right_code_agrees_in_value_and_gradient_and_says_so_the_same_way_twice():
    said = repr(pairwise().agrees_with(fm))
    assert said == "✓ fm agrees with “Pairs”: value and gradient in v (3, 2); 5 random draws"
    assert repr(pairwise().agrees_with(fm)) == said


def test_a_factor_is_named_with_the_slip_that_makes_it():
    said = disagreement(pairwise(), lambda v: 2 * fm(v))
    assert "∂/∂v[0, 0] (in the formula v_{1,1})" in said
    assert "code has 2.00 × formula: a missing ½?" in said
    assert "everywhere: 2.00 × formula: a missing ½?" in said


def test_fm_over_flattened_coordinates_is_told_apart():
    said = disagreement(pairwise(), lambda v: (v.sum().square() - v.square().sum()) / 2)
    assert "not a multiple of the formula" in said


def test_the_term_that_is_missing_or_doubled_is_named():
    w = symbol_array("w", (3,))
    terms = {"linear": sum(w), "pairs": SQUARE}
    steps = (Step("model", sum(w) + SQUARE, "Both."),)
    derivation = pairwise(
        steps=steps, final=sum(w) + SQUARE, terms=terms, inputs={"w": (3,), "v": (3, 2)}, symbols={"w": w, "v": V}
    )
    derivation.check()
    derivation.agrees_with(lambda w, v: w.sum() + fm(v))
    said = disagreement(derivation, lambda w, v: fm(v) + 0 * w.sum())
    assert "term by term: linear is missing; the other terms agree" in said
    assert "∂/∂v: agrees" in said
    assert "pairs is there 2.00 × (a missing ½?)" in disagreement(derivation, lambda w, v: w.sum() + 2 * fm(v))
    assert "not a sum of multiples" in disagreement(derivation, lambda w, v: w.sum() + fm(v) ** 2)


def test_code_with_the_right_value_and_a_wrong_gradient_is_caught():
    said = disagreement(pairwise(), lambda v: fm(torch.cat([v[:1].detach(), v[1:]])))
    assert "value: agrees" in said
    assert "∂/∂v[0, 0]" in said


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (lambda v: fm(v.detach()), "has no gradient"),
        (lambda v: fm(v.float()), "a cast inside"),
        (lambda v: v, r"shape \(3, 2\); the formula has 1 value"),
        (lambda v: 1.0, "returned float; expected a torch Tensor"),
    ],
)
def test_output_of_the_wrong_kind_is_refused(code, said):
    with pytest.raises(Disagreement, match=said):
        pairwise().agrees_with(code)


def test_vector_formulas_are_compared_entry_by_entry():
    entries = sympy.Matrix([sum(V[i, d] * V[j, d] for i in FIELDS for j in range(i + 1, 3)) for d in DIMS])
    derivation = pairwise(steps=(Step("vector", entries, "Per coordinate."),), final=entries)
    derivation.check()
    derivation.agrees_with(lambda v: (v.sum(0).square() - v.square().sum(0)) / 2)
    said = disagreement(derivation, lambda v: ((v.sum(0).square() - v.square().sum(0)) / 2).flip(0))
    assert "value, entry 0" in said


def test_a_model_class_is_held_through_its_parameters():
    class Affine(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.randn(2))
            self.b = nn.Parameter(torch.zeros(()))

        def forward(self, x):
            return x @ self.w + self.b

    w, b = symbol_array("w", (2,)), symbol_array("b", ())
    formula = w[0] + 2 * w[1] + b[()]
    x = torch.tensor([1.0, 2.0], dtype=torch.float64)
    derivation = Derivation(
        "affine",
        "Affine",
        (Step("affine", formula, "By definition."),),
        {"w": (2,), "b": ()},
        formula,
        {"w": w, "b": b},
        wire=lambda code, t: run_module(code(), t, x),
    )
    before = torch.random.get_rng_state()
    derivation.agrees_with(Affine)
    assert torch.equal(before, torch.random.get_rng_state())
    with pytest.raises(ValueError, match="no parameter 'c'"):
        run_module(Affine(), {"c": x}, x)
    with pytest.raises(ValueError, match="has shape"):
        run_module(Affine(), {"w": x[:1]}, x)


def test_a_formula_without_a_value_on_its_domain_is_refused():
    p = symbol_array("p", ())
    steps = (Step("log", sympy.log(p[()]), "By definition."),)
    parts = {"steps": steps, "final": sympy.log(p[()]), "inputs": {"p": ()}, "symbols": {"p": p}}
    parts["wire"] = lambda code, t: code(t["p"])
    with pytest.raises(ValueError, match="narrow the domain"), np.errstate(invalid="ignore"):
        pairwise(**parts).agrees_with(torch.log)
    pairwise(**parts, domain={"p": (0.1, 1.0)}).agrees_with(torch.log)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"steps": ()}, "at least one"),
        ({"steps": (Step("a", PAIRS, ""), Step("a", SQUARE, ""))}, "its own name"),
        ({"inputs": {"v": (2, 3)}}, "make them equal"),
        ({"domain": {"w": (0, 1)}}, "domain names"),
    ],
)
def test_a_derivation_that_contradicts_itself_is_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        pairwise(**changes)


def test_symbols_that_no_input_names_are_refused():
    with pytest.raises(ValueError, match="no input names"):
        pairwise(final=SQUARE + sympy.Symbol("z")).agrees_with(fm)


def test_unknown_steps_are_answered_with_the_nearest():
    with pytest.raises(KeyError, match="did you mean 'square'"):
        pairwise().step("sqare")


def test_show_prints_the_same_text_in_every_process(capsys):
    pairwise().show()
    pairwise().show(until="pairs")
    here = capsys.readouterr().out
    assert here.count("1. All pairs.\n   y = v_{1,1}*v_{2,1}") == 2
    assert here.count("By squares.") == 1
    program = "from test_framework import pairwise; pairwise().show(); pairwise().show(until='pairs')"
    there = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", program],
        cwd=Path(__file__).parent,
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert there.stdout == here


def test_showing_in_a_notebook_gives_markdown_with_latex(monkeypatch):
    shown = []
    monkeypatch.setattr(core, "get_ipython", lambda: object())
    monkeypatch.setattr(core, "display", lambda bundle, raw: shown.append(bundle))
    pairwise().show()
    assert "$$\\displaystyle y = v_{1,1} v_{2,1}" in shown[0]["text/markdown"]
    assert "2. By squares." in shown[0]["text/plain"]


def test_equality_does_not_run_away():
    x = symbol_array("x", (30,))
    left, right = (sum(x) + 1) ** 12, (1 + sum(x)) ** 12 + sympy.sin(x[0]) ** 2 + sympy.cos(x[0]) ** 2 - 1
    started = time.process_time()
    assert algebra.difference(left, right, {}) == ("points", None)
    assert time.process_time() - started < 30  # multiplied out it would not end today
