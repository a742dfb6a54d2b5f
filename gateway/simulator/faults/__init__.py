"""What can go wrong with a provider, one function per fault: a scene in, the steps of a misbehaving reply out."""
