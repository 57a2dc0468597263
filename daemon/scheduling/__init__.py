"""Which window is recognised next, and by which backend."""
