"""Short, complete programs: each answers a question and draws its picture into the folder given as argument."""
