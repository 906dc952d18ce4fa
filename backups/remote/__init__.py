"""The object store: copies of tenants' repositories, or their home (docs/decisions/0036)."""
