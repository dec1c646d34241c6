"""What is wrong with a record, and with the set of them."""
