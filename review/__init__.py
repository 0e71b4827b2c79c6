"""Experts verify dialogues: store, queue, votes, agreement, and the way back into the data set."""
