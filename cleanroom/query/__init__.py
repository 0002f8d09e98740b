"""From SQL text to released rows: parse, bind, plan, place, sheet, execute.

Rule: everything here is deterministic, so that every party compiles the same plan by itself.
"""
