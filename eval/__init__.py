"""Judges a coach: text metrics, coach metrics, baselines, intervals, and the report."""
