"""Servers of others' making, as far as a team would go: what iraas is compared with."""
