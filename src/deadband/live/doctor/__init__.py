"""What a gateway is like before anything is traded through it: asked, judged, with the cure."""
