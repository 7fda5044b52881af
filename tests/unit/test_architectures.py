"""Chapter 3 side by side: the same weights as the sections' own, sizes and times with their units."""

import pytest
import torch

from rec_lib.catalogue import SECTIONS, SYSTEMS
from rec_lib.experiments import architectures
from rec_lib.experiments.comparison import movielens_parts


@pytest.fixture
def parts():
    return tuple(part.rows(torch.arange(2000)) for part in movielens_parts("random", 0))


def test_every_finished_click_model_of_the_chapter_is_there_once_it_is_summed_up():
    summed_up = any(s.id == "3.11" and s.notebook for s in SECTIONS)
    done = {s.id for s in SYSTEMS if s.kind == "ctr" and s.section.startswith("3.") and s.state == "done"}
    assert not summed_up or done <= set(architectures.SYSTEMS)
    assert set(architectures.SYSTEMS) <= {s.id for s in SYSTEMS}


def test_numbers_of_one_system(parts):
    found = architectures.scores("deepfm", "random", 0, parts)
    place = "ml100k_random/deepfm/"
    assert {name.removeprefix(place) for name in found} == {
        "auc", "log_loss", "parameters", "train_seconds", "learn_seconds", "score_seconds", "epochs"
    }  # fmt: skip
    model, history = architectures.SYSTEMS["deepfm"]("random", 0, parts)
    assert found[f"{place}parameters"] == sum(p.numel() for p in model.parameters())
    assert found[f"{place}epochs"] == len(history.loss)
    # a pass over 2,000 rows is a 500th of a million, and training is passes and looks at the validation rows
    passes = found[f"{place}learn_seconds"] * 2000 / 1e6 * len(history.loss)
    assert 0 < passes < found[f"{place}train_seconds"]
