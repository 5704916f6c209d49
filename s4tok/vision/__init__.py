"""2D models: frozen networks whose features of images are lifted onto points."""
