"""The anchors of this machine: which certificates are kept, how they come in, and how they go again.

Main process. A certificate of the State's authorities comes in only when its SHA-256 is pinned, any other only as the
body's own and on a person's word; each act leaves a line in the journal. What they are used for is verification's.
"""
