"""Formulas that several papers share."""

from rec_lib.layers.attention import ActivationUnit, masked_softmax
from rec_lib.layers.cross import CrossProduct, cross_layer, matrix_cross_layer
from rec_lib.layers.dice import Dice
from rec_lib.layers.embedding import FieldEmbedding, LinearTerm
from rec_lib.layers.gru import GRU
from rec_lib.layers.in_batch import in_batch_softmax_loss, tower_scores
from rec_lib.layers.interaction import bi_interaction, fm_pairwise
from rec_lib.layers.mlp import mlp
from rec_lib.layers.onehot import OneHot
from rec_lib.layers.products import inner_signal, outer_signal
from rec_lib.layers.sampled_softmax import sampled_softmax_loss

__all__ = [
    "ActivationUnit",
    "Dice",
    "GRU",
    "CrossProduct",
    "FieldEmbedding",
    "LinearTerm",
    "OneHot",
    "bi_interaction",
    "cross_layer",
    "fm_pairwise",
    "in_batch_softmax_loss",
    "inner_signal",
    "masked_softmax",
    "matrix_cross_layer",
    "mlp",
    "outer_signal",
    "sampled_softmax_loss",
    "tower_scores",
]
