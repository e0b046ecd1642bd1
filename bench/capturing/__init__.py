"""What the bench of the capture is made of: pages with a known truth, floors, a meter, an account."""
