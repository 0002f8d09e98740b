"""What a person at a member has decided about plans, and what still waits for that."""
