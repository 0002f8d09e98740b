"""What all members of a session have in common: what they sign, agree on and say to each other."""
