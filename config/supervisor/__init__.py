"""`make run`: the whole portal as children of one process, which starts, watches and stops them.

The parts: `environment` (what the children are told), `ports` (are the addresses free), `children` (one
process and its log), `watch` (the loop), `stopping` (signals), `setup` (migrate, collect, demo), `summary`
(what to do next).
"""
