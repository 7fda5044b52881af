"""The timed comparisons: all sides get the same job, turns are alternate, targets are judged as they say."""

import sys
from pathlib import Path

import numpy as np
import pytest
import report
import walks
import whole_course
import words
from sides import clicks, process
from sides.process import Answer, Sides, SideStopped
from sides.results import line, read, stopped, times_as_fast, write
from sides.targets import TARGETS, Target

from rec_lib.cli import bench
from rec_lib.data.graphs import from_edges, les_miserables
from rec_lib.embeddings.walks import Walker
from rec_lib.paths import root

PEER = Path("peer-python")


def test_the_sides_of_a_click_model_get_the_same_rows_and_settings():
    columns = {"label": np.zeros(3)}
    for case in clicks.PEERS:
        told = clicks.settings(case, {"item": 5}, seed=0, lr=1e-3, weight_decay=0.0)
        jobs = clicks.jobs(case, PEER, columns, told)
        assert all(spec is told and arrays is columns for _, _, spec, arrays in jobs.values())
        assert len(jobs) == 2 + len(clicks.PEERS[case])


def test_the_sides_of_the_words_differ_in_what_they_share_alone():
    jobs = words.jobs(PEER, {}, 7, window=3)
    own, shared, gensim = (jobs[side][2] for side in ("rec_lib", words.SHARED, "gensim"))
    assert own == gensim
    assert own | {"share": 6} == shared


def test_the_sides_of_the_walks_get_the_same_graph_and_law():
    own, *peers = walks.jobs(PEER, les_miserables()).values()
    assert [spec["kind"] for _, _, spec, _ in peers] == ["PreComp", "SparseOTF"]
    assert all(arrays is own[3] and spec | own[2] == spec for _, _, spec, arrays in peers)


def test_every_script_that_a_side_names_exists():
    scripts = {job[1] for case in clicks.PEERS for job in clicks.jobs(case, PEER, {}, {}).values()}
    scripts |= {job[1] for job in words.jobs(PEER, {}, 1).values()}
    scripts |= {job[1] for job in walks.jobs(PEER, les_miserables()).values()}
    assert all((process.PEERS / f"{script}.py").exists() for script in scripts)


def test_the_chi_square_tells_the_law_from_another_one():
    graph = les_miserables()
    right, wrong = (
        walks.chi_square(graph, Walker(graph).walk(p, q, 600, 3, rng=np.random.default_rng(0)))
        for p, q in ((walks.P, walks.Q), (1.0, 1.0))
    )
    assert 0.01 < walks.chi2.sf(*right) < 0.99
    assert walks.chi2.sf(*wrong) < 1e-12


def test_the_chi_square_has_one_degree_less_than_the_cells_of_a_row():
    path = from_edges([(0, 1), (1, 2), (1, 3)])
    third = np.repeat([2, 3, 0], [40, 40, 20])
    rows = np.column_stack([np.zeros(100, int), np.ones(100, int), third])
    statistic, freedom = walks.chi_square(path, rows)
    p = np.array([2.0, 0.5, 0.5]) / 3  # back to 0, on to 2 and 3
    expected = 100 * p
    assert statistic == pytest.approx(((np.array([20, 40, 40]) - expected) ** 2 / expected).sum())
    assert freedom == 2


class Fake:
    """A side that notes its turns."""

    def __init__(self, name: str, log: list[str], fails_at: int = 99):
        self.name, self.log, self.fails_at = name, log, fails_at

    def do(self, name: str, save: bool = False, **given: object) -> Answer:
        self.log.append(self.name)
        if self.log.count(self.name) > self.fails_at:
            raise SideStopped("out of breath")
        return Answer(float(len(self.log)), 0.0, 0.0)

    def close(self) -> None:
        self.log.append(f"{self.name} closed")


def test_sides_take_turns_and_one_that_stops_drops_out():
    log: list[str] = []
    found = Sides({"rec_lib": Fake("rec_lib", log), "peer": Fake("peer", log, fails_at=2)})
    answers = found.turns("epoch", times=2)
    assert log == ["rec_lib", "peer", "rec_lib", "peer", "rec_lib", "peer", "peer closed"]
    assert list(answers) == ["rec_lib"]
    assert [a.seconds for a in answers["rec_lib"]] == [3.0, 5.0]  # the first turn warms up
    assert found.stopped == {"peer": "out of breath"}


SCRIPT = """
from turns import serve

def start(spec, arrays):
    def twice(by):
        print("noise")
        return {"x": arrays["x"] * by}
    def fail():
        raise ValueError("no such model")
    return {"twice": twice, "fail": fail}

serve(start, "numpy")
"""


def test_a_side_answers_with_arrays_and_says_what_stopped_it(tmp_path, monkeypatch):
    for name, text in {"side": SCRIPT, "broken": "raise RuntimeError('cannot begin')"}.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    (tmp_path / "turns.py").write_text((process.PEERS / "turns.py").read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(process, "PEERS", tmp_path)
    side = process.Side(Path(sys.executable), "side", {}, {"x": np.arange(3)})
    answer = side.do("twice", save=True, by=2)
    assert answer.arrays["x"].tolist() == [0, 2, 4]
    assert answer.memory > 0
    assert side.versions == {"numpy": np.__version__}
    with pytest.raises(SideStopped, match="no such model"):
        side.do("fail")
    assert side.do("twice", save=True, by=1).arrays["x"].tolist() == [0, 1, 2]
    side.close()
    with pytest.raises(SideStopped, match="cannot begin"):
        process.Side(Path(sys.executable), "broken", {}, {})


LINES = [
    line("epoch", "FM", "rec_lib", "CPU s", 1.0, runs=[1.0, 1.0, 2.0]),
    line("epoch", "FM", "A", "CPU s", 3.0, runs=[3.0, 3.0, 3.0]),
    line("epoch", "FM", "B", "CPU s", 2.0, runs=[2.0, 2.0, 8.0]),
    line("epoch", "FM", "minimal loop", "CPU s", 0.5, runs=[0.5, 0.5, 0.5]),
    stopped("epoch", "FM", "C", "no such model"),
    line("test", "FM", "rec_lib", "AUC", 0.789, values=[0.789]),
    line("test", "FM", "A", "AUC", 0.790, values=[0.790]),
]


def test_ratios_are_medians_over_pairs_of_turns():
    assert times_as_fast(LINES, "epoch", "FM", "rec_lib", "A") == 3.0  # of 3, 3 and 1.5
    assert times_as_fast(LINES, "epoch", "FM", "rec_lib", "C") is None


@pytest.mark.parametrize(
    ("target", "reached", "met"),
    [
        (Target("x", "epoch", "FM", "times as fast", 2.0), 2.0, True),  # B, the fastest peer; the minimal loop is none
        (Target("x", "epoch", "FM", "times as fast", 2.5), 2.0, False),
        (Target("x", "epoch", "FM", "times as fast", 1.0, ("minimal loop",)), 0.5, False),
        (Target("x", "test", "FM", "best peer less", 0.002), -0.001, True),
        (Target("x", "test", "FM", "best peer less", 0.0005), -0.001, False),
        (Target("x", "test", "FM", "at least", 0.79), 0.789, False),
        (Target("x", "epoch", "FM", "at most", 1.0), 1.0, True),
        (Target("x", "epoch", "LR", "at most", 1.0), None, None),
    ],
)
def test_targets_are_judged_by_what_was_measured(target, reached, met):
    found = target.reached(LINES)
    assert found == (reached if reached is None else pytest.approx(reached))
    if found is not None:
        assert target.met(found) is met
    assert ("missed" in report.verdict(target, LINES)) is (met is False)


def test_targets_name_scripts_and_cases_that_exist():
    assert {target.file for target in TARGETS} <= set(report.NAMES)
    assert {t.case for t in TARGETS if t.file.startswith("ctr")} <= set(clicks.PEERS)


def test_results_are_kept_with_the_machine_and_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("REC_LIB_HOME", str(tmp_path))
    path = write("ctr", LINES, {"peer": "1.0"}, short=True)
    assert path.parent == tmp_path / "bench"
    machine, lines = read(path)
    assert lines == LINES
    assert machine["peers"] == {"peer": "1.0"}
    page = report.page("ctr", machine, lines, drawn=True)
    assert "stopped: no such model" in page
    assert "| FM | A | 3 | 3.00 |" in page
    assert "0.50" in report.picture("ctr", lines)


def test_time_against_size_is_drawn_with_the_derived_law():
    rows = [line("rows", str(n), "DeepFM", "CPU s", 2e-6 * n, size=n, derived=1) for n in (1000, 4000, 16000)]
    assert report.exponent(rows) == pytest.approx(1.0)
    assert "exponent 1.00" in report.picture("growth", rows)


def test_the_short_form_names_scripts_that_exist_and_ends_with_the_report():
    scripts = {path.stem for path in (root() / "benchmarks").glob("*.py")}
    assert set(bench.SHORT) <= scripts
    assert list(bench.SHORT)[-1] == "report"


def test_the_course_as_a_whole_is_summed_by_chapter_and_panels_are_read():
    ran = [
        line("notebooks", case, "rec_lib", "s", 10.0) for case in ("00_start.ipynb", "ch02_x/a.ipynb", "ch04_y/b.ipynb")
    ]
    assert {row["case"]: row["value"] for row in whole_course.chapters(ran)} == {
        "00": 10.0,
        "ch02": 10.0,
        "chapters 2 to 4": 20.0,
        "ch04": 10.0,
    }
    (panel,) = whole_course.latencies("= a.ipynb: key to redraw p50 74 ms, p95 101 ms (40 presses)\n")
    assert (panel["case"], panel["value"], panel["p95"]) == ("a.ipynb", 74.0, 101.0)
