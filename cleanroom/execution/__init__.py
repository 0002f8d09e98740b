"""A plan on shares: from owners' rows to contributions, through operators, to an outcome.

Rule: what maps a plan to `protocols.rep3`, and the formats of what goes in and comes out. No
SQL text is read here and nothing is sent.
"""
