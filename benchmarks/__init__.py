"""What the operators cost: seconds, bytes, rounds and memory beside plaintext and the machine.

Rule: only measuring. Data is made up from a seed; nothing here is imported by the product.
"""
