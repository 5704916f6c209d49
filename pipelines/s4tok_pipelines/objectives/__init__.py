"""What each objective is built of and what it trains on: one objective a file, and the table of them."""
