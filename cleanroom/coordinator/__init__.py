"""The coordinator's process: members meet there; it holds no key and sees no row."""
