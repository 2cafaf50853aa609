"""The policy pack: `pulumi preview --policy-pack` with this folder."""

from dpor_provider.policies import run

run()
