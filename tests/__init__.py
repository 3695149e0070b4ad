"""The project's tests, by cost: unit, contract, integration, e2e, chaos, fuzz."""
