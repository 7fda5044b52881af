"""Results over several seeds: one file a section, run by ``course.py measure``, read by the notebooks."""

from rec_lib.experiments.core import Experiment, Measured, Paired, load_experiment, measure, measured

__all__ = ["Experiment", "Measured", "Paired", "load_experiment", "measure", "measured"]
