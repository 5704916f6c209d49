"""The file formats: one a file, each checks what a header promises against the file's size before it reads on."""
