"""The demo: a chain of three real nodes on this machine, from a commit to a crash report that comes home."""
