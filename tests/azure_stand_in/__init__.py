"""A server of ours that speaks the published Azure protocols, for tests."""
