"""The command line: parse, call the library, print. Nothing here that a Python user could not do."""
