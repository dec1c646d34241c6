"""What changes after the signature: change requests from draft to new baseline, and the register that opens them."""
