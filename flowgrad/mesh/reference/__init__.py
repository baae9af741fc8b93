"""Reference cells: shapes, shape functions and faces of each cell type, once."""
