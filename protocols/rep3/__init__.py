"""Three-party replicated secret sharing, honest majority: arithmetic mod 2^64 and bits by XOR.

Rule: one interactive step a file, each a generator over whole vectors; its plaintext twin is in
`protocols.plaintext`.
"""
