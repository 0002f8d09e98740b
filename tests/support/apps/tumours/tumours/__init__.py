"""A small neural network of NumPy, as a user of Flower writes it."""
