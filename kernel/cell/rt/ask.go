package rt

// Variable is a variable of the session, for %whos.
type Variable struct {
	Name, Type string // the user's
	Cell       int    // package that holds it
	Key        string // its name there
}

// Whos is %whos: it prints the variables with their values.
func Whos(variables []Variable) {
	if h := hooks.Load(); h != nil {
		h.Whos(variables)
	}
}

// Function is a function of the session, for %test: a func(*testing.T) or func(*testing.B).
type Function struct {
	Name string
	F    any
}

// Test is %test: it runs test and benchmark functions by the flags of go test, and ends the cell if one fails.
func Test(flags string, functions ...Function) {
	if h := hooks.Load(); h != nil {
		Check(h.Test(flags, functions))
	}
}
