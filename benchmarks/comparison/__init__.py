"""What `benchmarks/compare` is made of.

Only the standard library is imported here. A peer's libraries are imported in that peer's own process
(see worker.py), so the program runs wherever Kobolt does, whatever else is installed.
"""
