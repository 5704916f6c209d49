"""A tokenizer and its backbone as one model, and checkpoints of it."""
