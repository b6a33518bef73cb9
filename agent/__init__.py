"""Runs services on one instance: installs, starts, watches, updates, puts back."""
