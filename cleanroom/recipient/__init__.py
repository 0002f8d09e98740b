"""Whoever asks: the public `Room`, one question's way to its answer, and what follows from it."""
