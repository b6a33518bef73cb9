"""A profile published as a TUF repository, and the same read and verified by a consumer (python-tuf)."""
