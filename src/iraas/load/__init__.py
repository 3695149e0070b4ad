"""Load for a service: pictures by the clock or from clients that wait, with every answer timed and checked."""
