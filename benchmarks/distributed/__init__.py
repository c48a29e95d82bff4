"""What several processes gain in training, and whether it shows in what is learned."""
