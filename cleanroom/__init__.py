"""The product: rooms in which organisations compute together without showing their rows."""
