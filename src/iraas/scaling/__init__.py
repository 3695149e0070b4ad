"""How many workers there should be, and what would come of it: one rule for the simulator, this machine and AWS."""
