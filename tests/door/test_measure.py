"""`course.py measure`: which sections there are, and when a result counts as changed."""

from types import SimpleNamespace

import pytest

from rec_lib.cli import bench, measure
from rec_lib.experiments import Measured


def result(**values: tuple[float, ...]) -> Measured:
    return Measured("3.7.2", tuple(range(5)), values, "")


STORED = result(auc=(0.70, 0.71, 0.72, 0.71, 0.70), count=(3.0,) * 5)


@pytest.mark.parametrize(
    ("again", "found"),
    [
        (STORED, []),
        (result(auc=(0.71, 0.71, 0.73, 0.71, 0.71), count=(3.01,) * 5), []),
        (result(auc=(0.80,) * 5, count=(3.0,) * 5), ["auc: stored 0.7080, now 0.8000"]),
        (result(auc=(float("nan"),) * 5, count=(3.0,) * 5), ["auc: stored 0.7080, now nan"]),
        (result(auc=(0.71,) * 5, count=(4.0,) * 5), ["count: stored 3.0000, now 4.0000"]),
        (result(auc=(0.71,) * 5), ["other names: ['count']"]),
    ],
)
def test_what_counts_as_changed(again, found):
    assert measure.differences(STORED, again) == found


def test_a_seed_is_compared_with_itself():
    stored = result(auc=(0.1, 0.2, 0.9, 0.9, 0.9))
    assert measure.differences(stored, Measured("3.7.2", (0, 1), {"auc": (0.1, 0.2)}, "")) == []
    stored = result(auc=(0.100, 0.101, 0.100, 0.101, 0.100))
    (found,) = measure.differences(stored, Measured("3.7.2", (0, 1), {"auc": (0.12, 0.12)}, ""))
    assert found == "auc: stored 0.1005, now 0.1200"


def test_times_may_differ_but_not_go_missing():
    stored = result(auc=STORED.results["auc"], train_seconds=(1.0, 1.1, 1.2, 1.0, 1.1))
    slower = result(auc=STORED.results["auc"], train_seconds=(9.0,) * 5)
    assert measure.differences(stored, slower) == []
    assert measure.differences(stored, result(auc=STORED.results["auc"])) == ["other names: ['train_seconds']"]


def test_check_measures_again_and_leaves_the_stored_file_alone(monkeypatch, capsys):
    monkeypatch.setattr(measure, "measured", lambda name: STORED)
    monkeypatch.setattr(measure, "load_experiment", lambda name: name)
    asked = []

    def fake(experiment, seeds, folder):
        asked.append((seeds, folder))
        return Measured("3.7.2", seeds, {"auc": (0.9, 0.9), "count": (3.0, 3.0)}, "")

    monkeypatch.setattr(measure, "measure", fake)
    assert measure.check("3.7.2", 2) == 1
    seeds, folder = asked[0]
    assert seeds == STORED.seeds[:2]
    assert folder is not None
    assert "2 results measured again, 1 differ" in capsys.readouterr().out


def test_confirm_measures_only_what_is_stale(monkeypatch, capsys):
    monkeypatch.setattr(measure, "measured", lambda name: STORED)
    monkeypatch.setattr(measure, "load_experiment", lambda name: SimpleNamespace(fingerprint=""))
    assert measure.recheck("3.7.2", 2) == 0
    assert "nothing changed" in capsys.readouterr().out
    monkeypatch.setattr(measure, "load_experiment", lambda name: SimpleNamespace(fingerprint="new"))
    monkeypatch.setattr(measure, "measure", lambda experiment, seeds, folder: Measured("3.7.2", seeds, {}, "new"))
    for other, code in ((["auc"], 1), ([], 0)):
        monkeypatch.setattr(measure, "confirm", lambda experiment, again, other=other: other)
        assert measure.recheck("3.7.2", 2) == code
        assert ("course.py measure 3.7.2" in capsys.readouterr().out) == bool(code)


def test_check_of_several_sections_fails_if_one_of_them_differs(monkeypatch):
    class Inline:
        def __init__(self, workers, context):
            self.map = map

        def __enter__(self):
            return self

        def __exit__(self, *error):
            return None

    monkeypatch.setattr(measure, "ProcessPoolExecutor", Inline)
    monkeypatch.setattr(measure, "check", lambda name, seeds: int(name == "4.6"))
    assert measure.main(["--check", "3.7.1", "4.6", "3.7.2"]) == 1
    assert measure.main(["--check", "3.7.1", "3.7.2"]) == 0


def test_unknown_sections_are_refused_and_the_known_named(capsys):
    with pytest.raises(SystemExit):
        measure.main(["9.9"])
    assert "3.7.2" in capsys.readouterr().err


def test_unknown_benchmarks_are_refused(capsys):
    assert bench.main(["not_there"]) == 2
    assert "not_there" in capsys.readouterr().out
