"""rec_lib: deep-learning recommender systems in PyTorch, one paper a file, every formula tied to its code by tests."""

__version__ = "0.1.0"
