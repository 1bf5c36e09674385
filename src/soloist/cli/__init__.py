"""The command line: parses, calls, prints; heavy modules are imported inside the commands that need them."""
