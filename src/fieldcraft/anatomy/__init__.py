"""What any network is made of."""
