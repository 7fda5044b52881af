"""What other libraries do otherwise, as mutants: the contract must notice each, by the check named here."""

from functools import wraps

import pytest
from contract.ctr_checks import CHECKS
from pairs import changes

from rec_lib.models import AFM, DIEN, DIN, FFM, IPNN, LR, LSPLM, NFM, OPNN, DCNv2, DeepFM


def mutant(base, change):
    """The model that a change makes of one of ours."""

    class Changed(base):
        @wraps(base.__init__)
        def __init__(self, *args, **settings):
            super().__init__(*args, **settings)
            change(self)

    return Changed


KILLED_BY = {
    (LR, changes.sums_bags): "equals_the_plain_loop",
    (FFM, changes.one_vector_a_bag): "equals_the_plain_loop",
    (LSPLM, changes.gate_is_the_regions): "equals_the_plain_loop",
    (NFM, changes.sigmoid_inside): "equals_the_plain_loop",
    (DeepFM, changes.normalises_hidden): "parameter_count",
    (AFM, changes.absent_fields_share): "equals_the_plain_loop",
    (AFM, changes.attention_is_one): "every_parameter_learns_and_padding_does_not",
    (IPNN, changes.without_squares): "equals_the_plain_loop",
    (OPNN, changes.without_squares): "equals_the_plain_loop",
    (DeepFM, changes.linear_reads_vectors): "parameter_count",
    (DCNv2, changes.bias_outside): "equals_the_plain_loop",
    (DIN, changes.sigmoid_in_the_unit): "parameter_count",
    (DIN, changes.scaled_scores): "equals_the_plain_loop",
    (DIN, changes.dice_without_statistics): "parameter_count",
    (DIN, changes.relu_for_dice): "parameter_count",
    (DIN, changes.dice_counts_padding): "padding_changes_nothing_while_training",
    (DIN, changes.dice_over_units): "parameter_count",
    (DIN, changes.normalises_the_unit): "padding_changes_nothing_while_training",
    (DIEN, changes.tied_bias): "equals_the_plain_loop",
    (DIEN, changes.network_attention): "parameter_count",
    (DIEN, changes.scaled_network_attention): "parameter_count",
}


@pytest.mark.parametrize(("base", "change"), KILLED_BY, ids=lambda part: part.__name__)
def test_the_contract_kills(base, change):
    with pytest.raises(AssertionError):
        CHECKS[KILLED_BY[base, change]](mutant(base, change))


@pytest.mark.parametrize("base", {base for base, _ in KILLED_BY}, ids=lambda base: base.__name__)
def test_the_frame_of_the_mutants_passes(base):
    for check in {KILLED_BY[pair] for pair in KILLED_BY if pair[0] is base}:
        CHECKS[check](mutant(base, lambda model: None))
