"""The cache: HDF5 segments that survive what a cluster does to them."""
