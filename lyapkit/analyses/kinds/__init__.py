"""What orbits settle on."""
