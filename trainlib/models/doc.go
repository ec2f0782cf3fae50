// Package models holds torchvision's models by their names.
package models
