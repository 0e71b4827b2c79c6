"""Runs the whole of FLEX, step by step, and says beforehand what it costs."""
