"""iraas: image recognition as a service."""
