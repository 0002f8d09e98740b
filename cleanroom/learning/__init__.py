"""Training over rows that stay with their owners: only sums over all owners are ever opened."""
