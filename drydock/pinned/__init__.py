"""What Drydock downloads, each in one exact version: tools and release manifests."""
