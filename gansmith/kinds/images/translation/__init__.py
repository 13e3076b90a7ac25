"""Using a model that makes images of images: pictures of any size, folders, animations and videos."""
