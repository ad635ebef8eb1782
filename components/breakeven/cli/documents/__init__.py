"""What commands answer with `--format json`: one definition writes, reads, and is published."""
