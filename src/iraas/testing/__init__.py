"""For tests: contract suites, doubles, faults. Product code never imports it."""
