"""`LocalRoom`: the processes of a real room, all on this machine."""
