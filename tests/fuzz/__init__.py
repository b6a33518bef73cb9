"""Every decoder of foreign bytes, tried with good examples that were spoilt: see ``python -m tests.fuzz``."""
