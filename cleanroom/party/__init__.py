"""A member's own process: it attends the room, rules on requests and plays its part in them."""
