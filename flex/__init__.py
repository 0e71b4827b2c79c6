"""The domain of FLEX: graph, score, samples, splits and labels. Imports nothing of ours."""
