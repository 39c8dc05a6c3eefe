"""What a page without a paper of its own calls: settings in, plain results out."""
