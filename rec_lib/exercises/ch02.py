"""Exercises of chapter 2, in the order of its sections."""

from __future__ import annotations

from rec_lib.exercises.ch02_cf import CF
from rec_lib.exercises.ch02_lr import LR
from rec_lib.exercises.ch02_ls_plm import LS_PLM
from rec_lib.exercises.ch02_mf import MF
from rec_lib.exercises.ch02_trees import TREES

EXERCISES = (*CF, *MF, *LR, *TREES, *LS_PLM)
