"""Homomorphic encryption: exact BFV sums and products under one party's key.

Rule: the only package that imports tenseal; nothing here knows members, plans or wires.
"""
