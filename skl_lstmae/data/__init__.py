"""Sequences as plain arrays: whatever a user calls `X`, read, checked, cut and put back."""
