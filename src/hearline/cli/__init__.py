"""The command line: a skin over everything below."""
