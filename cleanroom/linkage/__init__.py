"""Linking persons: what owners clean, and how what they share is compared. See README.md."""
