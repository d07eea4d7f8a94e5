"""The inside of a market folder: its files, their cells, and every defect that can stand in them."""
