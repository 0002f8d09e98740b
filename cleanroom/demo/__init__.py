"""The main job, for a newcomer: three hospitals and an analyst on one machine.

Rule: public interface of the product only; data that a package ships.
"""
