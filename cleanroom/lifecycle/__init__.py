"""What an owner does to what it keeps: keys, backups, tables erased, persons forgotten.

Rule: each is one transaction with its line in the log. A line names tables and days, no person.
"""
