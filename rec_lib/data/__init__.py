"""Where samples come from: MovieLens and its views, graphs, the simulator and its named worlds.

Each is a module of its own; nothing is loaded here.
"""
