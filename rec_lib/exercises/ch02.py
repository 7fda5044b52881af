"""Exercises of chapter 2, in the order of its sections."""

from __future__ import annotations

from rec_lib.exercises.ch02_cf import CF
from rec_lib.exercises.ch02_mf import MF

EXERCISES = (*CF, *MF)
