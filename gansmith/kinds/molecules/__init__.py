"""Molecules: SMILES strings and SDF files as tokens or as graphs."""
