package flowers

// rgb is a colour; channels may leave 0…255 until a pixel is set.
type rgb struct{ r, g, b int }

func clamp(v int) int { return min(max(v, 0), 255) }

// mix goes from a (at 0) to b (at 256).
func mix(a, b rgb, t int) rgb {
	return rgb{a.r + (b.r-a.r)*t/256, a.g + (b.g-a.g)*t/256, a.b + (b.b-a.b)*t/256}
}

// shade multiplies a colour by t/256.
func (c rgb) shade(t int) rgb { return rgb{c.r * t / 256, c.g * t / 256, c.b * t / 256} }

func (c rgb) clamped() rgb { return rgb{clamp(c.r), clamp(c.g), clamp(c.b)} }

// vary moves each channel by up to s.
func (r *random) vary(c rgb, s int) rgb {
	return rgb{c.r + r.between(-s, s), c.g + r.between(-s, s), c.b + r.between(-s, s)}.clamped()
}

// Every kind of flower may have every colour, now and then its own: a classifier has to look at shapes.
var (
	petalColours = []rgb{
		{244, 240, 236}, {250, 214, 226}, {236, 120, 160}, {214, 48, 92}, {196, 32, 40}, {238, 104, 52}, {250, 166, 40},
		{250, 216, 66}, {248, 236, 170}, {158, 92, 190}, {108, 84, 190}, {120, 150, 230}, {190, 60, 160}, {252, 190, 160},
	}
	centreColours = []rgb{
		{240, 196, 48}, {222, 150, 40}, {104, 62, 30}, {62, 40, 30}, {150, 176, 66}, {240, 226, 150}, {130, 40, 60}, {90, 70, 120},
	}
	ownPetals = map[string][]rgb{
		"daisy":      {{244, 240, 236}, {250, 226, 236}},
		"dandelion":  {{250, 216, 66}, {240, 240, 240}},
		"roses":      {{196, 32, 50}, {236, 120, 160}, {246, 228, 206}},
		"sunflowers": {{250, 196, 40}, {246, 166, 36}},
		"tulips":     {{214, 48, 70}, {250, 206, 60}, {158, 72, 170}, {240, 120, 60}},
	}
	leafColours = []rgb{{66, 122, 52}, {92, 146, 66}, {48, 100, 62}, {112, 150, 84}, {74, 132, 96}}
	// backgrounds are colours above and below.
	backgrounds = [][2]rgb{
		{{150, 190, 226}, {110, 156, 84}}, {{206, 224, 236}, {150, 180, 110}}, {{84, 122, 66}, {40, 74, 40}},
		{{128, 158, 92}, {70, 104, 54}}, {{40, 52, 48}, {22, 30, 26}}, {{70, 62, 84}, {34, 36, 50}},
		{{232, 206, 180}, {164, 138, 106}}, {{240, 190, 176}, {130, 110, 122}}, {{214, 214, 204}, {160, 164, 150}},
		{{120, 150, 190}, {62, 88, 130}}, {{190, 160, 190}, {110, 100, 140}}, {{150, 112, 84}, {88, 64, 48}},
	}
)

func (r *random) pick(list []rgb) rgb { return list[r.between(0, len(list)-1)] }

// petalColour draws the colour of a flower's petals.
func (r *random) petalColour(kind string) rgb {
	if r.chance(ownColour) {
		return r.vary(r.pick(ownPetals[kind]), 22)
	}
	return r.vary(r.pick(petalColours), 26)
}

// ownColour is how often, in percent, a flower has a colour typical of its kind.
const ownColour = 25
