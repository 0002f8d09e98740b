"""From a bound query to a plan: who computes what, in which order, and what is opened.

Rule: everything here is deterministic, so that every party compiles the same plan by itself.
"""
