"""Pure values of the server."""
