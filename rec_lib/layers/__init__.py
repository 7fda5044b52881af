"""Formulas that several papers share."""

from rec_lib.layers.embedding import FieldEmbedding, LinearTerm
from rec_lib.layers.interaction import bi_interaction, fm_pairwise
from rec_lib.layers.mlp import mlp

__all__ = ["FieldEmbedding", "LinearTerm", "bi_interaction", "fm_pairwise", "mlp"]
