"""SQL text against the contract: parsed, every name and type bound, nothing decided yet.

Rule: what is known before it is decided who computes what. Other SQL than the allowlist's is
refused here, by the name of the construct.
"""
