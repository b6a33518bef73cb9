"""Kill −9 campaigns against the agent: ``python -m tests.campaign --runs 200 --seed 1``."""
