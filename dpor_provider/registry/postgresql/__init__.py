"""PostgreSQL as the registry's database: the server itself checks who may change what."""
