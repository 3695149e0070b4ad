"""Object stores: the port, and what stands behind it."""
