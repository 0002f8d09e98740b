"""Trained models as files in open formats, and training compared with what else could be done."""
