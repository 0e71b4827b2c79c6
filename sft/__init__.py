"""Fine-tunes the coach: a thin layer on transformers' Trainer and PEFT, with one YAML a recipe."""
