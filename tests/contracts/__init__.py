"""One suite per port, passed by all that implement it."""
