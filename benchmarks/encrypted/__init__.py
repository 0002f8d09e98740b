"""Homomorphic queries in one process, beside pandas or NumPy and TenSEAL written by hand."""
