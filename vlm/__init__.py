"""One Qwen2.5-VL for training, evaluation and chat: load, chat template, caches, generation."""
