"""The app tier: jobs in, answers out."""
