"""What the tokenizer is trained by: clusters of its teacher, and what CLIP saw of superpoints and of the whole."""
