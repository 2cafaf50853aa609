"""Azure Resource Manager, through the official clients (the extra `azure`)."""
