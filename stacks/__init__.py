"""Which components an environment has, with what values. No resource is built here."""
