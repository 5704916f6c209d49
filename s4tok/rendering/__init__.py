"""Pictures of clouds and meshes, and which point each pixel shows."""
