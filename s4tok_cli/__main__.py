"""`python -m s4tok_cli`, the same as `s4tok`."""

from s4tok_cli.app import main

if __name__ == "__main__":
    main()
