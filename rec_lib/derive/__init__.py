"""Derivations: a paper's formula step by step in sympy, tied to the code by value and gradient.

``core`` has the framework; every other module holds the derivations of one section.
"""

from rec_lib.derive.agreement import Agreement, Disagreement, run_module
from rec_lib.derive.core import BrokenStep, Derivation, Proof, Step, symbol_array

__all__ = ["Agreement", "BrokenStep", "Derivation", "Disagreement", "Proof", "Step", "run_module", "symbol_array"]
