"""The block that the project exists for, and the operators it is made of."""
