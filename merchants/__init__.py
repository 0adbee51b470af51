"""Who takes part: merchants and their shops, their customers, the accounts at the other systems, staff's scopes."""
