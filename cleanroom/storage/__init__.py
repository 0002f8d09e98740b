"""What a process keeps between sessions: one sealed file, and the key that opens it.

Rule: bytes by names, and nothing of what they mean. Whatever is written here is encrypted first.
"""
