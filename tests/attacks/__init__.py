"""One story per threat: attack, refusal, nothing changed."""
