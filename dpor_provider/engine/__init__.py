"""Running the Pulumi engine on a user's project, for estates that plain `pulumi` is slow on."""
