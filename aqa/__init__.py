"""Scores lifts: CoRe in four variants (sections 4.1, 8.1), and a head that scores by the graph."""
