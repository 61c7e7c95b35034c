"""`python -m fieldcraft` is the same as `fieldcraft`."""

from fieldcraft.cli.app import main

if __name__ == "__main__":
    main()
