"""INSECURE twins of `protocols.rep3`: the same meaning on plain arrays.

Rule: oracle of the tests and baseline of the benchmarks; one function for each interactive
step, of the same name, without context, rounds or shares.
"""
