"""The command line: reads what a person types, asks a node or runs one, and shows what came of it."""
