"""Merkle trees as RFC 6962 has them: hashes, growth, proofs and their verification."""
