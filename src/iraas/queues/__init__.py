"""Queues: the port, and what stands behind it."""
