"""The deployment on AWS: templates, units and the release they install, and the stack that is made of them."""
