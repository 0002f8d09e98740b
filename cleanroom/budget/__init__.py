"""What every release costs a person's privacy, and how much of it is left.

Rule: a charge is durable before anything is released, is never given back, and no clock renews a
budget. Nothing here reads a row.
"""
