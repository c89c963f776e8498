"""What this site formats otherwise than Django does, by language."""
