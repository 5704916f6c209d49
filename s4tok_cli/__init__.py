"""The command line: one subcommand a file; it parses, calls a stage and prints."""
