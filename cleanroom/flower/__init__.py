"""Flower's apps, unchanged, in the room: foreign code in a process that can do nothing else."""
