"""The server of one installation, and the command line."""
