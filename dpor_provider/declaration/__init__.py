"""`partners.yaml` to the model, with the place of every value; the published schema."""

from dpor_provider.declaration.load import Loaded, load
from dpor_provider.declaration.structure import schema

__all__ = ["Loaded", "load", "schema"]
