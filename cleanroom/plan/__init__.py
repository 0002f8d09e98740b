"""The plan: values that every party derives by itself, and what follows from them alone.

Rule: no SQL is compiled and nothing runs here, but for the INSECURE twin that defines what each
node means.
"""
