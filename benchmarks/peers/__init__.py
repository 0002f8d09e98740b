"""Other systems on the same operations: each in a virtual environment of its own.

Rule: `spu_run`, `mpyc_run` and `flower_*` run under the peer's interpreter and import nothing of
the product; the rest runs under ours and never imports a peer.
"""
