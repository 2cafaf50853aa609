"""The resources: what a Pulumi program declares."""
