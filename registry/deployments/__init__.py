"""What a deployment is: the document that the registry keeps, and its forms for other systems."""
