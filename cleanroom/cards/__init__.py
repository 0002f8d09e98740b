"""Cards: of every protocol and technique, what it assumes, tells and doesn't cover.

Rule: words alone, for people. The mathematics' own cards stand beside it, in `protocols`; what is
built of it has its card here. A technique without a card fails the tests.
"""
