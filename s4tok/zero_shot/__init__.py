"""Labels by words that nobody trained for: prompts, vocabularies, windows, scores."""
