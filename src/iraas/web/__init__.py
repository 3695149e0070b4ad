"""The web tier: HTTP in, HTTP out."""
