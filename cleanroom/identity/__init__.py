"""Who a member is: the keys it signs and connects with, and the files they live in.

Rule: keys, certificates, fingerprints and their files. Nothing here knows a contract or a network.
"""
