"""The processes and instances that work, and how they are watched."""
