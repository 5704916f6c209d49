"""The subcommands of `s4tok`, one a file."""
