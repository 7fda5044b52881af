"""Seeds of the learning tests: one by default, more with the environment variable REC_LIB_SEEDS."""

import os

SEEDS = range(int(os.environ.get("REC_LIB_SEEDS", "1")))
