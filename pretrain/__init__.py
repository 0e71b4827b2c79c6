"""Teaches a tiny Qwen2.5-VL to see FLEX-Sim, so that the coach can be tuned on a laptop."""
