"""One file per picture; each returns a matplotlib Figure made without pyplot, and imports matplotlib only when it draws."""
