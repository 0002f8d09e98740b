"""Noise for differential privacy: integers, sampled exactly.

Rule: machine integers and uniform words only. No float appears where a sampler decides, so its
distribution is the one written down, bit for bit. Randomness is an argument.
"""
