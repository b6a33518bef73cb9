"""The routes of a node: each declares who may call it."""
