"""How near an answer's text is to the reference, by the paper's measures (Figure 7)."""
