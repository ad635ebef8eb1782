"""The line items of a monthly bill, and what prices them."""
