"""Downloads, each pinned to one exact version: tools and release manifests."""
