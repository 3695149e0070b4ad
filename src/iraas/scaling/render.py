"""Plan -> CloudFormation resources: the alarms and scaling policies of one tier, as plain dicts; pure."""
