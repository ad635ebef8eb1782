"""What people and owned hardware cost, and in which currency reports say it."""
