"""The stages: each a function from caches to a cache, named as its subcommand."""
