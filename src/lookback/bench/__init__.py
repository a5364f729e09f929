"""What the package promises about speed, and what looking back costs, measured here.

One file a benchmark: a function that takes nothing and returns rows. `command` names them
all; `race` has what they share.
"""
