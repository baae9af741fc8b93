"""OpenFOAM's files: their grammar, meshes and fields."""
