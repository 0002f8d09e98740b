"""Protocol mathematics: pure, vectorised, and free of input and output.

Rule: what can be said without a socket, a clock, a file or a thread. Party, randomness and
gate are arguments; no function here reads a global or the environment.
"""
