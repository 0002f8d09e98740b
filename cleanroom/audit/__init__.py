"""What a process did, in a log that only grows and that all members hold it to."""
