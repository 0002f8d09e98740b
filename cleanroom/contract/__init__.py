"""What all members have signed: terms, identities, signatures.

Rule: values, their validation and their canonical bytes. Nothing here opens a connection.
"""
