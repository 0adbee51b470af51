"""The smart-coupon platform (智能发券, seed 000): what its pushes say, and what we do about them."""
