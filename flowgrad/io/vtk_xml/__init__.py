"""VTK XML files: documents, arrays and the data sets made of them."""
