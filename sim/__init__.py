"""FLEX-Sim: a simulated FLEX, so that everything runs and is tested with no download."""
