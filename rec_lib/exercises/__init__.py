"""Exercises that check themselves, hints in stages, a quiz, the learner's progress, and claims that are asserted.

Importing this package loads no chapter and neither torch nor sympy; a chapter is loaded when one of its exercises is.
"""

from rec_lib.exercises.claims import ClaimFailed, claim
from rec_lib.exercises.core import check, hint, solution
from rec_lib.exercises.model import NOT_YET
from rec_lib.exercises.quizzes import quiz
from rec_lib.exercises.record import progress

__all__ = ["NOT_YET", "ClaimFailed", "check", "claim", "hint", "progress", "quiz", "solution"]
