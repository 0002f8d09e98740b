"""What a room can show afterwards: reports and bundles from what was signed, logged and charged.

Rule: nothing is invented. What the law asks and no contract knows is a blank for a person.
"""
