"""Tables of what is measured; nothing here asserts a time."""
