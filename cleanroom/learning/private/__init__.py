"""Training under differential privacy: every sum that is opened tells little of any one person.

Rule: what an owner answers is clipped integers plus its share of exact noise, nothing else.
"""
