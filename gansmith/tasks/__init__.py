"""What games are about beyond making examples from noise."""
