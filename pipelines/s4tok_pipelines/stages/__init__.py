"""The stages: each a function from caches to a cache, in a file named as its subcommand; and what several need."""
