"""Files of images and masks, one format a file: what their headers say, their values, and masks written like them."""
