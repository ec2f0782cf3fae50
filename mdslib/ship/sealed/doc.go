// Package sealed is connections between this process and the programs that it has run on other machines, on which only those who
// know a token can speak or listen. The token is made for one purpose, such as a training job, and travels in an invitation.
package sealed
