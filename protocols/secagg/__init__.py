"""Secure aggregation: the sum over members that stayed, and nothing about any one of them.

Rule: vectors of words, secrets and messages of bytes; nothing here knows models, rows or wires.
"""
