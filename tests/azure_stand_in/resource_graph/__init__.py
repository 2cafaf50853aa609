"""The part of Azure Resource Graph that the platform uses: a language, tables, an endpoint."""
