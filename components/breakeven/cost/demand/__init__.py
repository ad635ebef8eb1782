"""The load of a week: requests per hour, their lengths, the burst."""
