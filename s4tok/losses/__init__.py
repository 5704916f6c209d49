"""What the tokenizer is trained by: clusters of its teacher, and 2D features of superpoints and of the whole."""
