"""How right results are, and what chance would score."""
