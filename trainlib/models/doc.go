// Package models holds torchvision's models with its names, order of parameters and initialisation: a checkpoint of one is a
// checkpoint of the other, and the same seed gives the same weights.
package models
